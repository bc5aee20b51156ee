/** Settings: webhook endpoints. */
import { ask } from "./api.js";
import { announce, byId, complain, copy } from "./element.js";
import { Endpoint } from "./endpoint.js";

const form = byId("adding");
const add = byId("add");
const list = byId("endpoints");

async function load() {
  try {
    const { endpoints } = await ask("webhooks");
    list.replaceChildren(...endpoints.map(show));
    complain(byId("problem"), null);
    empty();
  } catch (error) {
    complain(byId("problem"), error);
  }
  list.removeAttribute("aria-busy");
}

function show(endpoint) {
  return new Endpoint(endpoint, { secret, removed: () => (empty(), add.focus()) }).root;
}

function empty() {
  byId("no-endpoints").hidden = list.children.length > 0 || !form.hidden;
}

/** Show a secret that cannot be shown again. */
function secret(text) {
  byId("secret-text").textContent = text;
  const box = byId("secret");
  box.hidden = false;
  box.focus();
  box.scrollIntoView({ block: "nearest" });
}

byId("secret-copy").addEventListener("click", (event) => copy(event.currentTarget, byId("secret-text").textContent));
byId("secret-done").addEventListener("click", () => {
  byId("secret").hidden = true;
  byId("secret-text").textContent = "";
  add.focus();
});

function unfold(open) {
  form.hidden = !open;
  add.setAttribute("aria-expanded", String(open));
  empty();
  (open ? byId("url") : add).focus();
}

add.addEventListener("click", () => unfold(form.hidden));
byId("adding-stop").addEventListener("click", () => unfold(false));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const events = [...form.querySelectorAll("[name=events]")];
  const chosen = events.filter((each) => each.checked).map((each) => each.value);
  const url = byId("url").value.trim();
  if (!url) return wrong("Put in the address of your endpoint.");
  if (!chosen.length) return wrong("Choose at least one thing to be told of.");
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const body = { url, description: byId("description").value.trim(), events: chosen.length === events.length ? [] : chosen };
    const made = await ask("webhooks", { method: "POST", body });
    wrong("");
    form.reset();
    unfold(false);
    list.prepend(show(made));
    empty();
    announce("The endpoint was added.");
    secret(made.secret);
  } catch (error) {
    wrong(error.message);
  } finally {
    button.disabled = false;
  }
});

function wrong(text) {
  byId("url-wrong").textContent = text;
  byId("url").setAttribute("aria-invalid", String(Boolean(text)));
  if (text) byId("url").focus();
}

await load();
