/** The parts of a job as a table, and who works on it now. */
import { at, describe, hasPlace, stateOf } from "./chunks.js";
import { byId, make, say } from "./element.js";
import { percent } from "./words.js";

export class PartsTable {
  constructor() {
    this.rows = new Map();
    this.details = byId("as-table");
    // Thousands of rows are not written while nobody looks.
    this.details.addEventListener("toggle", () => this.#write());
  }

  show(tasks, rate) {
    Object.assign(this, { tasks, rate });
    this.#write();
    byId("workers").replaceChildren(
      ...tasks.filter((task) => task.state === "running").map((task) => workerLine(task, rate)),
    );
  }

  #write() {
    if (!this.details.open || !this.tasks) return;
    const known = this.rows;
    this.rows = new Map();
    this.tasks.forEach((task, number) => {
      const row = known.get(task.id) ?? make("tr", {}, ...Array.from({ length: 7 }, (_, at) => make(at ? "td" : "th", at ? {} : { scope: "row" })));
      const cells = [
        String(number + 1),
        describe({ ...task, start: null }, this.rate),
        hasPlace(task) ? at(task.start, this.rate) : "the start",
        hasPlace(task) ? at(task.stop, this.rate) : "the end",
        stateOf(task),
        task.worker || "–",
        String(task.attempts ?? 0),
      ];
      cells.forEach((text, column) => say(row.children[column], text));
      this.rows.set(task.id, row);
    });
    const body = byId("rows");
    if (body.children.length !== this.rows.size || [...this.rows.keys()].some((id) => !known.has(id))) {
      body.replaceChildren(...this.rows.values());
    }
  }
}

function workerLine(task, rate) {
  return make(
    "li",
    {},
    make("span", {}, make("strong", {}, task.worker || "a worker"), ` · ${describe(task, rate)}`),
    make("progress", { class: "bar", max: 1, value: task.share, "aria-label": `Progress of ${describe(task, rate)}` }),
    make("span", { class: "muted" }, percent(task.share)),
  );
}
