/** Elements, without markup in strings: what comes from outside is never more than text. */

/** `make("a", { href: "/" }, "Home")`. Of the attributes, functions are listeners by their event. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== ""));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Set a text only where it changed, so that screen readers and layout stay calm. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let pending = 0;

/** Tell it to screen readers, politely; a second before it is said, so that only the last counts. */
export function announce(text) {
  clearTimeout(pending);
  pending = setTimeout(() => say(byId("said"), text), 400);
}

/** Show what went wrong in `place`, or nothing. */
export function complain(place, error) {
  place.replaceChildren(...(error ? [make("p", { class: "notice bad" }, error.message)] : []));
}

/** Whether they are sure. The page holds the dialog `ask`. */
export async function sure(title, detail, yes) {
  const dialog = byId("ask");
  byId("ask-title").textContent = title;
  byId("ask-detail").textContent = detail;
  byId("ask-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  return dialog.returnValue === "yes";
}

/** A button that copies `text()` and says so. */
export function copier(text, label = "Copy") {
  return make(
    "button",
    { type: "button", class: "button slight", "aria-label": label, click: (event) => copy(event.currentTarget, text()) },
    "Copy",
  );
}

export async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    announce("Copied.");
  } catch {
    button.textContent = "Select it by hand";
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
}
