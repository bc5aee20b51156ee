/** Links to what a job made, to copy. */
import { byId, copier, make } from "./element.js";

const KINDS = [
  ["hls", "HLS", "for players and phones"],
  ["dash", "DASH", "for players"],
  ["progressive", "MP4", "one file, that plays while it loads"],
  ["report", "Report", "what was made, file by file"],
];

let drawn = "";

export function showLinks(links) {
  const known = KINDS.filter(([kind]) => links[kind]);
  const now = JSON.stringify(known.map(([kind]) => links[kind]));
  if (now === drawn) return;
  drawn = now;
  byId("links-none").hidden = known.length > 0;
  byId("links").replaceChildren(...known.map(([kind, name, what]) => line(name, what, new URL(links[kind], location).href)));
}

function line(name, what, address) {
  return make(
    "li",
    {},
    make("h3", {}, make("span", {}, name, make("span", { class: "muted" }, ` ${what}`)), make("a", { href: address }, "Open", make("span", { class: "out-of-sight" }, ` ${name}`))),
    make("div", { class: "copyable" }, make("code", { tabindex: 0, "aria-label": `Address of ${name}` }, address), copier(() => address, `Copy the address of ${name}`)),
  );
}
