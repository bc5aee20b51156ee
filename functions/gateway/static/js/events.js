/** What happened to a job, as a tree: the job, its parts, and each part's attempts. */
import { describe } from "./chunks.js";
import { make } from "./element.js";
import { clock, exact, plural } from "./words.js";

const WORDS = {
  "object.created": "The file arrived",
  "job.accepted": "The job was accepted",
  "job.planned": "The work was planned",
  "source.prepared": "The source was prepared for cutting",
  "job.encoded": "Every part is encoded; the result is put together",
  "job.completed": "The streams are ready",
  "job.rejected": "The file was rejected",
  "job.failed": "The job failed",
  "job.cancelled": "The job was cancelled",
  "task.ready": "Given to the encoders",
  "task.completed": "Done",
  "task.failed": "An attempt failed",
};

/** `dev.kinora.task.ready.v1` → `task.ready`. */
const short = (type) => type.replace(/^dev\.kinora\./, "").replace(/\.v\d+$/, "");
const taskOf = (fact) => fact.data?.task ?? (short(fact.type).startsWith("task.") ? fact.subject.split("/")[0] : "");
/** The file comes first and the verdict last, whatever clocks say of what was written together. */
const rank = (fact) => ({ "object.created": -1, "job.completed": 1, "job.rejected": 1, "job.failed": 1, "job.cancelled": 1 })[short(fact.type)] ?? 0;
const isBad = (fact) => /\.(failed|rejected)$/.test(short(fact.type));

export class Tree {
  constructor(root) {
    this.root = root;
    this.facts = new Map();
    this.tasks = new Map();
    this.open = new Set();
    this.drawn = "";
  }

  /** Facts may come twice and in any order; the same id is the same fact. */
  add(facts) {
    for (const fact of facts) this.facts.set(fact.id, fact);
  }

  know(tasks, rate) {
    this.tasks = new Map(tasks.map((task) => [task.id, task]));
    this.rate = rate;
  }

  draw() {
    const facts = [...this.facts.values()].sort((one, two) => rank(one) - rank(two) || (one.time < two.time ? -1 : one.time > two.time ? 1 : 0));
    const drawn = JSON.stringify([facts.map((fact) => fact.id), this.tasks.size]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const parts = Map.groupBy ? Map.groupBy(facts.filter(taskOf), taskOf) : grouped(facts.filter(taskOf));
    const lines = [];
    for (const fact of facts) {
      if (!taskOf(fact)) lines.push(line(fact));
      else if (!lines.includes(parts)) lines.push(parts);
    }
    // Whoever is in the tree by keyboard stays where they are.
    const focused = this.root.contains(document.activeElement) && document.activeElement.parentElement.dataset.name;
    this.root.replaceChildren(...lines.map((each) => (each === parts ? this.#parts(parts) : each)));
    if (focused) this.root.querySelector(`[data-name="${CSS.escape(focused)}"] > summary`)?.focus();
    this.root.removeAttribute("aria-busy");
  }

  #parts(parts) {
    const all = [...parts.values()].flat();
    const done = [...parts.values()].filter((facts) => facts.some((fact) => short(fact.type) === "task.completed")).length;
    const bad = all.filter(isBad).length;
    const summary = [
      make("strong", {}, `${done} of ${plural(Math.max(parts.size, this.tasks.size), "part")} done`),
      make("span", { class: "said" }, bad ? ` · ${plural(bad, "attempt")} failed` : ""),
    ];
    const list = () => [...parts].map(([id, facts]) => this.#part(id, facts));
    return make("li", { class: bad ? "bad" : null }, this.#fold("parts", summary, list));
  }

  #part(id, facts) {
    const task = this.tasks.get(id);
    const last = short(facts.at(-1).type);
    const bad = facts.filter(isBad).length;
    const how = last === "task.completed" ? "done" : last === "task.failed" ? "failed" : "begun";
    const summary = [
      task ? describe(task, this.rate) : id,
      make("span", { class: "said muted" }, ` · ${how}${bad ? ` after ${plural(bad, "failed attempt")}` : ""}`),
    ];
    return make("li", { class: bad ? "bad" : null }, this.#fold(id, summary, () => facts.map(line)));
  }

  /** What is folded is made only when somebody looks, and stays open when it is drawn anew. */
  #fold(name, summary, children) {
    const list = make("ol");
    const fill = () => list.children.length || list.append(...children());
    const details = make("details", { "data-name": name }, make("summary", {}, ...summary), list);
    if (this.open.has(name)) {
      fill();
      details.open = true;
    }
    details.addEventListener("toggle", () => {
      this.open[details.open ? "add" : "delete"](name);
      if (details.open) fill();
    });
    return details;
  }
}

function line(fact) {
  const kind = short(fact.type);
  const data = fact.data ?? {};
  const attempt = kind === "task.failed" && data.attempt ? `Attempt ${data.attempt} failed` : null;
  const note = [data.reason, data.worker && `by ${data.worker}`].filter(Boolean).join(" · ");
  return make(
    "li",
    { class: isBad(fact) ? "bad" : null },
    make(
      "div",
      { class: "what" },
      make("time", { datetime: fact.time, title: exact(fact.time) }, clock(fact.time)),
      make("span", {}, attempt ?? WORDS[kind] ?? kind, note ? make("span", { class: "note" }, note) : null),
    ),
  );
}

function grouped(facts) {
  const found = new Map();
  for (const fact of facts) found.set(taskOf(fact), [...(found.get(taskOf(fact)) ?? []), fact]);
  return found;
}
