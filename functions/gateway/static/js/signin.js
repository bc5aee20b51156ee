/** The door: an API key becomes a session. */
import { ask } from "./api.js";
import { byId } from "./element.js";

const form = byId("sign-in");
const key = byId("key");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  wrong(key.value.trim() ? "" : "Put an API key in; it begins with “kinora_”.");
  if (!key.value.trim()) return;
  button.disabled = true;
  try {
    await ask("/session", { method: "POST", body: { key: key.value.trim() } });
    location.assign(form.dataset.next);
  } catch (error) {
    wrong(error.status === 401 ? "This key is not known. It may have been revoked, or cut when it was copied." : error.message);
  } finally {
    button.disabled = false;
  }
});

function wrong(text) {
  byId("key-wrong").textContent = text;
  key.setAttribute("aria-invalid", String(Boolean(text)));
  if (text) key.focus();
}
