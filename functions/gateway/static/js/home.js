/** The first page. */
import { byId, complain } from "./element.js";
import { Jobs } from "./jobs.js";
import { chooseProfile } from "./profiles.js";
import { Uploads } from "./uploads.js";

const jobs = new Jobs();
const profile = chooseProfile((error) => complain(byId("jobs-problem"), error));
const uploads = new Uploads({ profile, straight: "straight" in byId("drop").dataset, arrived: (job) => jobs.arrived(job) });
const files = byId("files");

files.addEventListener("change", () => {
  uploads.take([...files.files]);
  // Else choosing the same file again would be no change.
  files.value = "";
});

byId("choose-too").addEventListener("click", () => files.click());

// Anywhere on the page: a film that misses the frame must not replace the page.
const holds = (event) => event.dataTransfer?.types.includes("Files");
let depth = 0;
addEventListener("dragenter", (event) => holds(event) && mark(++depth));
addEventListener("dragleave", (event) => holds(event) && mark(--depth));
addEventListener("dragover", (event) => holds(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!holds(event)) return;
  event.preventDefault();
  mark((depth = 0));
  uploads.take([...event.dataTransfer.files]);
});

function mark(inside) {
  document.body.classList.toggle("dragging", inside > 0);
}

await jobs.load();
jobs.follow();
