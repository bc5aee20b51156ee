/** An endpoint's delivery log, and sending again. */
import { ask } from "./api.js";
import { announce, complain, make } from "./element.js";
import { exact } from "./words.js";

/** How often, and how many times, it is looked for what was just sent. */
const LOOK_MS = 700;
const LOOKS = 12;

export class Deliveries {
  constructor(path) {
    this.path = path;
    this.cursor = "";
    this.rows = make("tbody");
    this.none = make("p", { class: "muted small", hidden: true }, "Nothing was sent yet.");
    this.older = make("button", { type: "button", class: "button slight", hidden: true, click: () => this.#show(this.cursor) }, "Show older");
    this.problem = make("div", { role: "alert" });
    this.since = make("input", { type: "datetime-local", id: `since-${path.split("/").pop()}` });
    const headings = ["When", "What", "Attempt", "Answer", "Took", ""];
    this.table = make(
      "div",
      { class: "table-wrap", role: "region", tabindex: 0, "aria-label": "Delivery log" },
      make("table", {}, make("thead", {}, make("tr", {}, ...headings.map((word) => make("th", { scope: "col" }, word || make("span", { class: "out-of-sight" }, "Send again"))))), this.rows),
    );
    this.root = make(
      "details",
      { toggle: () => this.root.open && this.#show("") },
      make("summary", { class: "small" }, "Delivery log"),
      make(
        "div",
        { class: "deliveries" },
        this.problem,
        this.none,
        this.table,
        make("div", { class: "buttons" }, this.older),
        make(
          "form",
          { class: "again", submit: (event) => (event.preventDefault(), this.#since()) },
          make("div", { class: "field" }, make("label", { for: this.since.id }, "Send everything again since"), this.since),
          make("button", { class: "button slight", type: "submit" }, "Send again"),
        ),
      ),
    );
  }

  /** Something was just sent: show the log, and look until it is there. */
  async expect() {
    this.root.open = true;
    const before = await this.#show("");
    for (let look = 0; look < LOOKS; look += 1) {
      await new Promise((done) => setTimeout(done, LOOK_MS));
      if ((await this.#show("")) !== before) return;
    }
  }

  /** Returns what tells the newest entry from others. */
  async #show(cursor) {
    try {
      const query = new URLSearchParams({ limit: 20, ...(cursor && { cursor }) });
      const page = await ask(`${this.path}/deliveries?${query}`);
      const rows = page.deliveries.map((entry) => this.#row(entry));
      if (cursor) this.rows.append(...rows);
      else this.rows.replaceChildren(...rows);
      this.cursor = page.next ?? "";
      this.older.hidden = !this.cursor;
      this.none.hidden = this.rows.children.length > 0;
      this.table.hidden = !this.none.hidden;
      complain(this.problem, null);
      return JSON.stringify(page.deliveries[0] ?? null);
    } catch (error) {
      complain(this.problem, error);
      return "";
    }
  }

  #row(entry) {
    if (entry.kind === "disabled") return make("tr", {}, make("td", {}, exact(entry.at)), make("td", { class: "wide", colspan: 5 }, "Disabled: ", entry.error));
    const good = entry.status >= 200 && entry.status < 300;
    const kind = entry.type.split(".").slice(2, 4).join(" ") || entry.type;
    return make(
      "tr",
      {},
      make("td", {}, exact(entry.at)),
      make("td", {}, kind, " ", make("span", { class: "mono muted" }, entry.message.slice(0, 8))),
      make("td", {}, String(entry.number)),
      make("td", { class: "wide" }, make("span", { class: "state", "data-state": good ? "delivered" : "failed" }, entry.status ? String(entry.status) : "no answer"), entry.error ? make("span", { class: "muted" }, ` ${entry.error}`) : null),
      make("td", {}, `${entry.ms} ms`),
      make("td", {}, make("button", { type: "button", class: "button slight", click: () => this.#again({ message: entry.message }) }, "Send again", make("span", { class: "out-of-sight" }, ` ${kind} of ${exact(entry.at)}`))),
    );
  }

  #since() {
    if (!this.since.value) return this.since.focus();
    return this.#again({ since: new Date(this.since.value).toISOString() });
  }

  async #again(body) {
    try {
      const { messages } = (await ask(`${this.path}/replay`, { method: "POST", body })) ?? {};
      announce(messages === 0 ? "There was nothing to send again." : "It is sent again.");
      complain(this.problem, null);
      await this.expect();
    } catch (error) {
      complain(this.problem, error);
    }
  }
}
