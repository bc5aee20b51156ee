/** The list of what is sent. */
import { announce, byId, make, say, sure } from "./element.js";
import * as remembered from "./remembered.js";
import { Upload } from "./upload.js";
import { bytes, percent, span } from "./words.js";

const AT_ONCE = 2;

export class Uploads {
  /** `arrived(job)` is told of each file that becomes a job, and waited for; `straight`: to the bucket. */
  constructor({ profile, straight, arrived }) {
    this.profile = profile;
    this.straight = straight;
    this.arrived = arrived;
    this.list = byId("upload-list");
    this.lines = new Map();
    for (const known of remembered.all()) this.#add(new Upload(null, this.#options(known.profile, known)));
    addEventListener("beforeunload", (event) => this.#sending().length && event.preventDefault());
  }

  /** Files that were dropped or chosen. One that was begun before goes on. */
  take(files) {
    for (const file of files) {
      const of = remembered.nameOf(file);
      const waiting = [...this.lines.keys()].find((upload) => upload.of === of && !upload.over);
      if (waiting?.state === "lost") waiting.found(file);
      else if (!waiting) this.#add(new Upload(file, this.#options(this.profile())));
    }
    this.#next();
  }

  #options(profile, known = null) {
    return { profile, known, straight: this.straight, changed: (upload) => this.#draw(upload) };
  }

  #sending() {
    return [...this.lines.keys()].filter((upload) => upload.state === "sending" || upload.state === "again");
  }

  async #next() {
    const free = AT_ONCE - this.#sending().length;
    const waiting = [...this.lines.keys()].filter((upload) => upload.state === "waiting");
    for (const upload of waiting.slice(0, Math.max(0, free))) this.#run(upload);
  }

  async #run(upload) {
    await upload.run();
    if (upload.state === "done" && this.lines.has(upload)) {
      announce(`${upload.name} was sent.`);
      await this.arrived(upload.job);
      this.#remove(upload);
    } else if (upload.state === "failed") {
      announce(`${upload.name} could not be sent. ${upload.error.message}`);
    }
    this.#next();
  }

  #add(upload) {
    const line = new Line(upload, {
      pause: () => (upload.pause(), this.#next()),
      resume: () => this.#run(upload),
      choose: () => byId("files").click(),
      cancel: () => this.#cancel(upload),
    });
    this.lines.set(upload, line);
    this.list.append(line.root);
    byId("uploads").hidden = false;
    line.draw();
  }

  #draw(upload) {
    this.lines.get(upload)?.draw();
  }

  async #cancel(upload) {
    const begun = upload.sent > 0 && !upload.over;
    if (begun && !(await sure("Stop sending this file?", `${upload.name}: what was sent so far is dropped.`, "Stop sending"))) return;
    this.#remove(upload);
    await upload.cancel();
    this.#next();
  }

  #remove(upload) {
    const had = this.lines.get(upload)?.root.contains(document.activeElement);
    this.lines.get(upload)?.root.remove();
    this.lines.delete(upload);
    byId("uploads").hidden = this.lines.size === 0;
    // The button that had the focus is gone: it goes to where the file is now.
    if (had) byId("content").focus();
  }
}

/** What is seen of one. */
class Line {
  constructor(upload, { pause, resume, choose, cancel }) {
    this.upload = upload;
    this.bar = make("progress", { class: "bar", max: 1, "aria-label": `Sent of ${upload.name}` });
    this.text = make("span", { class: "small muted" });
    this.wrong = make("p", { class: "wrong", hidden: true });
    this.pause = button("Pause", upload, pause);
    this.resume = button("Resume", upload, resume);
    this.choose = button("Choose the file", upload, choose);
    this.cancel = button("Cancel", upload, cancel);
    this.root = make(
      "li",
      { class: "upload" },
      make("div", {}, make("span", { class: "upload-name" }, upload.name)),
      make("div", { class: "upload-far" }, this.bar, this.text),
      make("div", { class: "buttons" }, this.pause, this.resume, this.choose, this.cancel),
      this.wrong,
    );
  }

  draw() {
    const { upload } = this;
    const share = upload.size ? upload.sent / upload.size : 0;
    this.bar.hidden = upload.state === "lost" || upload.state === "failed";
    this.bar.value = share;
    say(this.text, this.#words(share));
    showOnly(
      { sending: this.pause, again: this.pause, paused: this.resume, failed: this.resume, lost: this.choose }[upload.state],
      [this.pause, this.resume, this.choose],
    );
    say(this.cancel.firstChild, upload.state === "lost" ? "Forget" : upload.state === "failed" ? "Remove" : "Cancel");
    this.wrong.hidden = !upload.error;
    say(this.wrong, upload.error?.message ?? "");
  }

  #words(share) {
    const { upload } = this;
    const sent = `${percent(share)} of ${bytes(upload.size)}`;
    const left = upload.speed ? ` · ${bytes(upload.speed)}/s · ${span((upload.size - upload.sent) / upload.speed)} left` : "";
    return {
      waiting: `${bytes(upload.size)} · waiting for its turn`,
      sending: sent + left,
      again: `${sent} · the connection is lost, trying again`,
      paused: `${sent} · paused`,
      lost: `${bytes(upload.size)} · begun before. Choose the same file, and it goes on where it was.`,
      failed: "not sent",
      done: "sent; its job begins",
    }[upload.state];
  }
}

/** The focus never falls out of the row with a button that is of no more use. */
function showOnly(wanted, buttons) {
  const had = buttons.includes(document.activeElement) && document.activeElement !== wanted;
  for (const each of buttons) each.hidden = each !== wanted;
  if (had) (wanted ?? buttons[0].parentElement.lastElementChild).focus();
}

function button(word, upload, press) {
  return make("button", { type: "button", class: "button slight", click: press }, make("span", {}, word), make("span", { class: "out-of-sight" }, ` ${upload.name}`));
}
