/** The list of jobs: the newest first, as they are now. */
import { ask } from "./api.js";
import { announce, byId, complain, make, say } from "./element.js";
import { listen } from "./stream.js";
import { ago, bytes, ended, exact, fileOf, percent, span, stateWord } from "./words.js";

const PAGE = 20;
/** How often, and how many times, it is looked for the job of a file that was sent. */
const LOOK_MS = 500;
const LOOKS = 40;

export class Jobs {
  constructor() {
    this.list = byId("jobs");
    this.lines = new Map();
    this.cursor = "";
    this.filter = byId("state");
    this.filter.addEventListener("change", () => this.load());
    byId("older").addEventListener("click", () => this.#more());
    setInterval(() => this.lines.forEach((line) => line.tick()), 30000);
  }

  /** Begin again with the newest. */
  async load() {
    const wanted = this.filter.value;
    try {
      const page = await this.#page("");
      if (wanted !== this.filter.value) return;
      this.lines.clear();
      this.list.replaceChildren();
      for (const job of page.jobs) this.#take(job, { last: true });
      this.#known(page);
    } catch (error) {
      complain(byId("jobs-problem"), error);
    }
    this.list.removeAttribute("aria-busy");
  }

  follow() {
    listen("/api/v1/progress", { job: (job) => this.#heard(job) });
  }

  /** A file that was just sent becomes this job: wait until it is in the list, but not for ever. */
  async arrived(id) {
    for (let look = 0; look < LOOKS && !this.lines.has(id); look += 1) {
      try {
        // Not the job itself: until what was told of the file has arrived, there is none.
        const { jobs } = await ask("jobs?limit=10");
        jobs.filter((job) => job.job === id).forEach((job) => this.#heard(job));
      } catch {
        // The stream will tell of it.
      }
      if (this.filter.value) return;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  async #more() {
    const button = byId("older");
    button.disabled = true;
    try {
      const page = await this.#page(this.cursor);
      const first = this.#take(page.jobs[0], { last: true });
      for (const job of page.jobs.slice(1)) this.#take(job, { last: true });
      this.#known(page);
      announce(`${page.jobs.length} older jobs.`);
      first?.root.querySelector("a").focus();
    } catch (error) {
      complain(byId("jobs-problem"), error);
    }
    button.disabled = false;
  }

  #page(cursor) {
    const query = new URLSearchParams({ limit: PAGE });
    if (cursor) query.set("cursor", cursor);
    if (this.filter.value) query.set("state", this.filter.value);
    return ask(`jobs?${query}`);
  }

  #known(page) {
    this.cursor = page.next ?? "";
    byId("older").hidden = !this.cursor;
    complain(byId("jobs-problem"), null);
    this.#empty();
  }

  #empty() {
    const none = this.lines.size === 0;
    byId("empty").hidden = !none || this.filter.value !== "";
    // A page may be empty though older jobs follow that are in this state.
    byId("none-so").hidden = !none || this.filter.value === "" || this.cursor !== "";
    this.list.hidden = none;
  }

  #heard(job) {
    const line = this.lines.get(job.job);
    if (line) {
      if (line.job.state !== job.state && ended(job.state)) announce(`${fileOf(job.source)}: ${stateWord(job.state)}.`);
      line.draw(job);
    } else if (!this.filter.value || this.filter.value === job.state) {
      this.#take(job, { last: false });
      this.#empty();
    }
  }

  #take(job, { last }) {
    if (!job || this.lines.has(job.job)) return this.lines.get(job?.job);
    const line = new Line(job);
    this.lines.set(job.job, line);
    // By the time of acceptance: what is heard of may be older than what is listed.
    const after = last ? null : [...this.list.children].find((each) => each.dataset.accepted <= job.accepted);
    if (!last) line.root.classList.add("fresh");
    this.list.insertBefore(line.root, after ?? null);
    return line;
  }
}

class Line {
  constructor(job) {
    this.what = make("span", { class: "job-what" });
    this.bar = make("progress", { class: "bar", max: 1, "aria-label": `Progress of ${fileOf(job.source)}` });
    this.text = make("span", { class: "small muted" });
    this.state = make("span", { class: "state" });
    this.when = make("time", { class: "job-when", datetime: job.accepted, title: exact(job.accepted) });
    this.far = make("div", { class: "job-far" }, this.bar, this.text);
    this.root = make(
      "li",
      { class: "job", "data-accepted": job.accepted },
      make("div", {}, make("a", { class: "job-name", href: `/jobs/${job.job}` }, fileOf(job.source)), this.what),
      this.far,
      this.state,
      this.when,
    );
    this.draw(job);
  }

  draw(job) {
    this.job = job;
    const at = job.progress ?? {};
    const over = ended(job.state);
    const bad = over && job.state !== "completed";
    this.what.classList.toggle("why", bad);
    say(this.what, bad ? job.reason : [bytes(job.size_bytes), job.profile, over && `took ${span(job.elapsed_s)}`].filter(Boolean).join(" · "));
    this.far.hidden = over;
    this.bar.value = at.share ?? 0;
    const words = [percent(at.share ?? 0), at.speed && `${at.speed.toFixed(1)}×`, at.eta_s != null && `${span(at.eta_s)} left`];
    say(this.text, words.filter(Boolean).join(" · "));
    this.state.dataset.state = job.state;
    say(this.state, stateWord(job.state));
    this.tick();
  }

  tick() {
    say(this.when, ago(this.job.accepted));
  }
}
