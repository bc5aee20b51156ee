/** The picture of a job's parts: a lane for each rendition, time from left to right. */
import { make, say } from "./element.js";
import { place, plural } from "./words.js";

const STATE_WORDS = { waiting: "waiting", running: "being encoded", done: "done", failed: "failed" };

const WHOLE = { mezzanine: "the source, prepared for cutting", progressive: "one file of the segments" };

/** What a part is, in words: `720p, 480p, 0:12 to 0:18`. */
export function describe(task, rate) {
  const what = WHOLE[task.kind] ?? task.renditions.join(", ");
  return hasPlace(task) ? `${what}, ${at(task.start, rate)} to ${at(task.stop, rate)}` : what;
}

/** Whether it is a piece of the film, rather than a whole track. */
export const hasPlace = (task) => task.start != null && task.stop != null && task.stop > task.start;

/** A frame's time, or its number where no rate is known. */
export const at = (frame, rate) => (rate ? place(frame / rate) : `frame ${frame}`);

export function stateOf(task) {
  const failed = failedOf(task);
  return (STATE_WORDS[task.state] ?? task.state) + (failed && task.state !== "failed" ? `, after ${plural(failed, "failed attempt")}` : "");
}

/** Attempts that failed: all but the one that runs or that did it. */
export const failedOf = (task) => Math.max(0, task.attempts - (task.state === "done" || task.state === "running"));

export class Picture {
  /** `seek(seconds)` is called where somebody points at a part that can be played. */
  constructor(root, { pointed, seek }) {
    this.root = root;
    this.pointed = pointed;
    this.seek = seek;
    this.cells = new Map();
    this.tasks = [];
    this.shape = "";
    root.addEventListener("pointerover", (event) => this.#point(event.target.dataset?.task));
    root.addEventListener("pointerleave", () => this.#point(null));
    root.addEventListener("click", (event) => this.#click(event));
  }

  /** Draw `tasks`; only what changed is touched. */
  show(tasks, { frames, rate }) {
    this.tasks = tasks;
    this.rate = rate;
    this.frames = frames || Math.max(1, ...tasks.map((task) => task.stop ?? 0));
    const shape = JSON.stringify([this.frames, tasks.map((task) => task.id)]);
    if (shape !== this.shape) this.#build();
    this.shape = shape;
    for (const task of tasks) this.#paint(task);
    this.#playable();
    this.root.setAttribute("aria-label", this.#summary());
  }

  /** Where the player is, or null. */
  needle(seconds) {
    if (!this.over) return;
    this.over.hidden = seconds == null || !this.rate;
    if (!this.over.hidden) {
      this.over.firstChild.style.insetInlineStart = `${Math.min(100, ((seconds * this.rate) / this.frames) * 100)}%`;
    }
  }

  /** Frames from the start that can be watched: of the rung that has most of them, with a sound. */
  get prefix() {
    const reached = { true: [], false: [] };
    for (const name of this.lanes ?? []) {
      const tasks = this.#of(name);
      if (tasks.some((task) => task.kind in WHOLE)) continue;
      let frames = 0;
      for (const task of tasks) {
        if (!hasPlace(task)) frames = task.state === "done" ? this.frames : 0;
        else if (task.start <= frames && task.state === "done") frames = Math.max(frames, task.stop);
        else break;
      }
      reached[tasks.some(hasPlace)].push(frames);
    }
    const kinds = Object.values(reached).filter((frames) => frames.length);
    return kinds.length ? Math.min(...kinds.map((frames) => Math.max(...frames))) : 0;
  }

  #of(lane) {
    return this.tasks.filter((task) => names(task).includes(lane)).sort((one, two) => (one.start ?? 0) - (two.start ?? 0));
  }

  #build() {
    this.cells.clear();
    this.lanes = [...new Set(this.tasks.flatMap(names))].sort(byRank(this.tasks));
    const lanes = this.lanes.map((lane) => {
      const tasks = this.#of(lane);
      const track = make("div", { class: tasks.some(hasPlace) ? "track" : "track sound" });
      for (const task of tasks) track.append(this.#cell(task));
      return make("div", { class: "lane" }, make("span", { title: lane }, laneWord(lane)), track);
    });
    this.over = make("div", { class: "over", hidden: true }, make("div", { class: "needle" }));
    this.root.replaceChildren(...lanes, this.#scale(), this.over);
  }

  #cell(task) {
    const cell = make("div", { class: "cell", "data-task": task.id });
    const [start, stop] = hasPlace(task) ? [task.start, task.stop] : [0, this.frames];
    cell.style.insetInlineStart = `${(start / this.frames) * 100}%`;
    // The gap between two parts is a fortieth of a short one, and never more than two points.
    const gap = stop < this.frames ? `min(2px, ${(stop - start) / this.frames * 8}%)` : "0px";
    cell.style.inlineSize = `calc(${((stop - start) / this.frames) * 100}% - ${gap})`;
    this.cells.set(task.id, [...(this.cells.get(task.id) ?? []), cell]);
    return cell;
  }

  #paint(task) {
    const failed = failedOf(task) ? " retried" : "";
    for (const cell of this.cells.get(task.id)) {
      const pointed = cell.classList.contains("pointed") ? " pointed" : "";
      const name = `cell ${task.state}${failed}${pointed}`;
      if (cell.className !== name) cell.className = name;
      cell.style.setProperty("--fill", `${task.share * 100}%`);
    }
  }

  #scale() {
    const ticks = make("div", { class: "ticks" });
    this.mark = make("i", { class: "playable" });
    if (this.rate) {
      const length = this.frames / this.rate;
      const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((s) => length / s <= 6) ?? 7200;
      // The last one would be written over the end.
      for (let s = 0; s < length - step * 0.6; s += step) ticks.append(tick(s, length));
      ticks.append(tick(length, length));
    }
    ticks.append(this.mark);
    return make("div", { class: "scale" }, make("span"), ticks);
  }

  #playable() {
    this.mark.style.inlineSize = `${(this.prefix / this.frames) * 100}%`;
  }

  #summary() {
    const count = (state) => this.tasks.filter((task) => task.state === state).length;
    const again = this.tasks.filter(failedOf).length;
    return [
      `${plural(this.tasks.length, "part")} in ${plural(this.lanes.length, "rendition")}:`,
      `${count("done")} done, ${count("running")} being encoded, ${count("waiting")} waiting.`,
      again ? `${plural(again, "part")} had to be tried again.` : "",
      "The same stands in the table below.",
    ].join(" ");
  }

  #point(id) {
    for (const cell of this.root.querySelectorAll(".pointed")) cell.classList.remove("pointed");
    const task = id && this.tasks.find((each) => each.id === id);
    if (task) for (const cell of this.cells.get(id)) cell.classList.add("pointed");
    const who = task?.worker ? ` by ${task.worker}` : "";
    say(this.pointed, task ? `${describe(task, this.rate)}: ${stateOf(task)}${who}` : "\u00a0");
  }

  #click(event) {
    const task = this.tasks.find((each) => each.id === event.target.dataset?.task);
    if (!task || !this.rate || task.state !== "done") return;
    const track = event.target.parentElement.getBoundingClientRect();
    this.seek(((event.clientX - track.left) / track.width) * (this.frames / this.rate));
  }
}

const names = (task) => (task.kind in WHOLE ? [task.kind] : task.renditions);
const LANES = { mezzanine: "source", progressive: "file" };
const laneWord = (lane) => LANES[lane] ?? lane.replace(/^audio-/, "♪ ");
const height = (lane) => Number.parseInt(lane.match(/(\d+)p/)?.[1] ?? "0", 10);

/** Pictures before sound, large before small. */
function byRank(tasks) {
  const pictures = new Set(tasks.filter(hasPlace).flatMap(names));
  return (one, two) =>
    pictures.has(two) - pictures.has(one) || height(two) - height(one) || one.localeCompare(two);
}

function tick(seconds, length) {
  const label = make("span", { class: seconds === length ? "last" : null }, place(seconds));
  label.style.insetInlineStart = `${(seconds / length) * 100}%`;
  return label;
}
