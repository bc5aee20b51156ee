/** One webhook endpoint: what it is told, how it fares, and its deliveries. */
import { ask } from "./api.js";
import { Deliveries } from "./deliveries.js";
import { announce, complain, make, say, sure } from "./element.js";
import { ago } from "./words.js";

const TOLD = { completed: "ready", failed: "failed", rejected: "rejected", cancelled: "cancelled" };
const DISABLED = {
  gone: "It answered 410 (gone), so nothing is sent to it any more.",
  failing: "Nothing could be delivered for days, so nothing is sent to it any more.",
};

export class Endpoint {
  /** `secret(text)` shows a new secret; `removed()` is told when it is no more. */
  constructor(endpoint, { secret, removed }) {
    this.secret = secret;
    this.removed = removed;
    this.path = `webhooks/${endpoint.endpoint}`;
    this.state = make("span", { class: "state" });
    this.told = make("p", { class: "small muted" });
    this.trouble = make("p", { class: "notice bad", hidden: true });
    this.problem = make("div", { role: "alert" });
    this.pause = press("Pause", () => this.#change({ paused: !this.endpoint.paused }));
    this.deliveries = new Deliveries(this.path);
    const name = make("h3", { class: "endpoint-url" }, endpoint.url);
    this.root = make(
      "li",
      { class: "card padded endpoint" },
      make("div", { class: "endpoint-head" }, make("div", {}, name, this.told), this.state),
      this.trouble,
      make(
        "div",
        { class: "buttons" },
        press("Send a test", () => this.#test()),
        this.pause,
        press("New secret…", () => this.#rotate()),
        press("Remove…", () => this.#remove(), "danger"),
      ),
      this.problem,
      this.deliveries.root,
    );
    this.#draw(endpoint);
  }

  #draw(endpoint) {
    this.endpoint = endpoint;
    const state = endpoint.disabled ? "disabled" : endpoint.paused ? "paused" : "active";
    this.state.dataset.state = state;
    say(this.state, { disabled: "Disabled", paused: "Paused", active: "Active" }[state]);
    const kinds = endpoint.events.map((type) => TOLD[type.split(".")[3]] ?? type);
    const told = kinds.length ? `told of jobs that are ${kinds.join(", ")}` : "told how every job ends";
    say(this.told, [endpoint.description, told].filter(Boolean).join(" · "));
    say(this.pause, endpoint.disabled ? "Send again" : endpoint.paused ? "Go on" : "Pause");
    const failing = endpoint.failing_since && `It has failed since ${ago(endpoint.failing_since)}; its deliveries are tried again.`;
    const trouble = DISABLED[endpoint.disabled] ?? failing ?? "";
    this.trouble.hidden = !trouble;
    say(this.trouble, trouble);
  }

  async #do(what) {
    try {
      complain(this.problem, null);
      return await what();
    } catch (error) {
      complain(this.problem, error);
    }
  }

  #change(change) {
    const body = this.endpoint.disabled ? { disabled: false } : change;
    return this.#do(async () => {
      this.#draw(await ask(this.path, { method: "PATCH", body }));
      announce(`The endpoint is ${this.state.textContent.toLowerCase()}.`);
    });
  }

  #test() {
    return this.#do(async () => {
      await ask(`${this.path}/test`, { method: "POST" });
      announce("A test is on its way; the delivery log tells how it went.");
      await this.deliveries.expect();
    });
  }

  async #rotate() {
    const yes = await sure("Make a new secret?", "Requests are signed with both for a day, so that your endpoint can be changed in peace. The old one ends then.", "Make it");
    if (yes) await this.#do(async () => this.secret((await ask(`${this.path}/rotate`, { method: "POST" })).secret));
  }

  async #remove() {
    const yes = await sure("Remove this endpoint?", `${this.endpoint.url} is told of nothing any more, and its delivery log is gone.`, "Remove it");
    if (!yes) return;
    await this.#do(async () => {
      await ask(this.path, { method: "DELETE" });
      this.root.remove();
      announce("The endpoint was removed.");
      this.removed();
    });
  }
}

function press(word, act, kind = "") {
  return make(
    "button",
    {
      type: "button",
      class: `button slight ${kind}`,
      async click(event) {
        const button = event.currentTarget;
        button.setAttribute("aria-disabled", "true");
        await act();
        button.removeAttribute("aria-disabled");
      },
    },
    word,
  );
}
