/** One file on its way: it can be paused, goes on by itself after a lost connection, and ends as a job. */
import * as remembered from "./remembered.js";
import { begin, method } from "./methods.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;
/** How far back its speed looks. */
const WINDOW_MS = 8000;

export class Upload {
  /** `changed()` is called whenever something of it did. */
  constructor(file, { profile = "", known = null, straight = false, changed }) {
    Object.assign(this, { file, profile, changed, known, straight });
    this.name = file?.name ?? known.name;
    this.size = file?.size ?? known.size;
    this.of = file ? remembered.nameOf(file) : known.of;
    /** waiting, sending, paused, again (after a lost connection), lost (its file is asked for), done, failed */
    this.state = file ? "waiting" : "lost";
    this.sent = 0;
    this.job = "";
    this.error = null;
    this.marks = [];
  }

  get over() {
    return this.state === "done" || this.state === "failed";
  }

  /** Bytes a second of late, 0 where nothing can be said. */
  get speed() {
    const [first] = this.marks;
    const last = this.marks.at(-1);
    return first && last.time > first.time + 500 ? ((last.sent - first.sent) / (last.time - first.time)) * 1000 : 0;
  }

  /** Send until it is there, paused, or cannot be. Never throws. */
  async run() {
    this.wait = FIRST_WAIT_MS;
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.#is("sending");
    for (;;) {
      try {
        await this.#send(signal);
        return;
      } catch (error) {
        if (error.name === "AbortError") return;
        const passing = error.status === 0 || error.status >= 500 || [408, 409, 429].includes(error.status);
        this.error = error;
        if (!passing) return this.#fail();
        await this.#goAround();
      }
      this.#is("again");
      await this.#breathe(signal);
      if (signal.aborted) return;
      this.#is("sending");
    }
  }

  pause() {
    this.#is("paused");
    this.abort?.abort();
  }

  /** Stop and drop what was sent. */
  async cancel() {
    this.abort?.abort();
    this.state = "done";
    remembered.forget(this.of);
    if (this.known) await method(this.known.method).drop(this.known.address).catch(() => {});
  }

  /** Its file was chosen again. */
  found(file) {
    this.file = file;
    this.#is("waiting");
  }

  async #send(signal) {
    this.known ??= remembered.find(this.file) ?? null;
    let from = this.known && (await method(this.known.method).offset(this.known.address, signal));
    if (from == null) {
      this.known = await begin(this.straight ? "multipart" : "tus", this.file, this, signal);
      remembered.keep(this.file, this.known);
      from = 0;
    }
    this.marks = [];
    this.#mark(from);
    this.job = await method(this.known.method).send(this.known.address, this.file, from, (sent) => this.#mark(sent), signal);
    remembered.forget(this.of);
    this.error = null;
    this.#is("done");
  }

  /** A bucket that this browser cannot reach: the gateway can. */
  async #goAround() {
    if (this.known?.method !== "multipart" || this.sent > 0 || this.error.status !== 0) return;
    const { address } = this.known;
    try {
      await method("multipart").drop(address);
    } catch {
      return; // neither can the gateway be reached, so it is the network
    }
    this.straight = false;
    this.known = null;
    remembered.forget(this.of);
  }

  #mark(sent) {
    // What came through says that the connection is well again.
    if (sent > this.sent) {
      this.wait = FIRST_WAIT_MS;
      this.error = null;
    }
    this.sent = sent;
    const time = performance.now();
    this.marks = [...this.marks.filter((mark) => mark.time > time - WINDOW_MS), { time, sent }];
    this.changed(this);
  }

  #fail() {
    remembered.forget(this.of);
    this.#is("failed");
  }

  #breathe(signal) {
    const wait = this.wait * (0.75 + Math.random() / 2);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    return new Promise((done) => {
      const timer = setTimeout(done, wait);
      // No reason to wait any longer once the network is there again, or nobody wants it.
      addEventListener("online", done, { once: true });
      signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
    });
  }

  #is(state) {
    this.state = state;
    this.changed(this);
  }
}
