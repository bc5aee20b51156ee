/** The page of one job. */
import { ask } from "./api.js";
import { Picture } from "./chunks.js";
import { announce, byId, complain, copy, sure } from "./element.js";
import { Tree } from "./events.js";
import { Head } from "./head.js";
import { showLinks } from "./links.js";
import { Player } from "./player.js";
import { listen } from "./stream.js";
import { PartsTable } from "./table.js";
import { ended, stateWord } from "./words.js";

const id = byId("job").dataset.job;
const here = `/api/v1/jobs/${id}`;
const player = new Player();
const picture = new Picture(byId("chunks"), { pointed: byId("pointed"), seek: (s) => player.seek(s) });
const table = new PartsTable();
const tree = new Tree(byId("events"));
const head = new Head();
let job = null;
let tasks = new Map();
let plan = { frames: 0, rate: 0 };
let outputs = {};
let drawing = 0;
/** When it was looked for what can be watched, and how long until the next look. */
let asked = 0;
const AGAIN_MS = 1500;

/** However many things happen at once, they are drawn once. */
function draw() {
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    if (!job) return;
    const parts = [...tasks.values()];
    head.show(job);
    if (parts.length) {
      byId("picture").hidden = false;
      picture.show(parts, plan);
      byId("legend-failed").hidden = !parts.some((task) => task.state === "failed");
      table.show(parts, plan.rate);
    }
    tree.know(parts, plan.rate);
    tree.draw();
    showLinks(job.state === "completed" ? outputs : {});
    watch();
  });
}

function watch() {
  if (job.state === "completed") player.show(outputs.hls);
  else if (ended(job.state)) player.nothing("There is nothing to watch: the job made no streams.");
  else if (picture.prefix > 0) early();
  if (plan.rate) player.reach(job.state === "completed" ? 0 : picture.prefix / plan.rate, plan.frames / plan.rate);
}

/** What is playable before the end has an address once the lowest rung and the sound have begun. */
async function early() {
  if (!outputs.early && Date.now() - asked > AGAIN_MS) {
    asked = Date.now();
    await loadOutputs();
  }
  if (outputs.early && !ended(job.state)) player.show(outputs.early, { live: true });
}

async function allFacts() {
  const found = [];
  let after = "";
  do {
    const page = await ask(`${here}/events?after=${after}`);
    found.push(...page.events);
    after = page.next;
  } while (after);
  return found;
}

async function loadOutputs() {
  outputs = await ask(`${here}/outputs`);
}

function takeJob(next) {
  if (job && job.state !== next.state) {
    announce(`The job is now: ${stateWord(next.state)}.`);
    // Another plan may have come with it.
    loadParts().catch(() => {});
  }
  job = next;
  draw();
}

async function loadParts() {
  const [found, facts] = await Promise.all([ask(`${here}/tasks`), allFacts()]);
  tasks = new Map(found.tasks.map((task) => [task.id, task]));
  plan = { frames: found.frames, rate: rateOf(found.rate) };
  tree.add(facts);
  draw();
}

/** Frames a second out of `24000/1001`; 0 where there is no picture. */
function rateOf(text) {
  const [frames, seconds = 1] = (text || "0").split("/").map(Number);
  return frames / seconds;
}

async function load() {
  try {
    takeJob(await ask(here));
    await loadParts();
    if (job.state === "completed") await loadOutputs();
    draw();
    complain(byId("problem"), null);
  } catch (error) {
    complain(byId("problem"), error);
  }
}

function follow() {
  listen(
    `${here}/progress`,
    {
      job: takeJob,
      task: (task) => {
        if (!tasks.has(task.id)) loadParts().catch(() => {});
        tasks.set(task.id, { ...tasks.get(task.id), ...task });
        draw();
      },
      fact: (fact) => {
        tree.add([fact]);
        draw();
      },
      end: load,
    },
    { lost: () => head.lost(true), found: () => head.lost(false) },
  );
}

byId("cancel").addEventListener("click", async () => {
  const yes = await sure("Cancel this job?", "What is encoded so far is thrown away. The file that you sent stays.", "Cancel the job");
  if (yes) await act("cancel", () => load());
});

byId("retry").addEventListener("click", () => act("retry", (made) => location.assign(`/jobs/${made.job}`)));

async function act(what, then) {
  const button = byId(what);
  button.disabled = true;
  try {
    then(await ask(`${here}/${what}`, { method: "POST" }));
    complain(byId("problem"), null);
  } catch (error) {
    complain(byId("problem"), error);
  } finally {
    button.disabled = false;
  }
}

byId("copy-job").addEventListener("click", (event) => copy(event.currentTarget, id));

byId("video").addEventListener("timeupdate", (event) => picture.needle(event.target.currentTime));

await load();
if (!job || !ended(job.state)) follow();
