/** The head of a job's page: what it is, how far it is, and why it ended. */
import { byId, say } from "./element.js";
import { ago, bytes, ended, exact, percent, span, stateWord } from "./words.js";

const TITLES = {
  rejected: "This file cannot be taken",
  failed: "The job failed",
  cancelled: "The job was cancelled",
};

export class Head {
  show(job) {
    const at = job.progress ?? {};
    const over = ended(job.state);
    const facts = [
      bytes(job.size_bytes),
      `profile ${job.profile}`,
      `accepted ${ago(job.accepted)}`,
      over && job.elapsed_s != null ? `took ${span(job.elapsed_s)}` : "",
    ];
    say(byId("facts"), facts.filter(Boolean).join(" · "));
    byId("facts").title = exact(job.accepted);

    byId("state").dataset.state = job.state;
    if (!this.away) say(byId("state"), stateWord(job.state));
    const share = job.state === "completed" ? 1 : (at.share ?? 0);
    say(byId("share"), over && job.state !== "completed" ? "" : percent(share));
    const bar = byId("progress");
    bar.value = share;
    say(byId("speed"), at.speed ? `${at.speed.toFixed(at.speed < 10 ? 1 : 0)}×` : "–");
    say(byId("left-word"), over ? "Took" : "Left");
    say(byId("left"), over ? took(job) : left(at));
    say(byId("frames"), at.frames_total ? `${at.frames_done.toLocaleString("en")} of ${at.frames_total.toLocaleString("en")}` : "–");
    say(byId("parts"), at.tasks_total ? `${at.tasks_done} of ${at.tasks_total}` : "–");
    document.title = `${over ? stateWord(job.state) : percent(share)} · ${byId("name").textContent} · Kinora`;

    byId("cancel").hidden = over;
    byId("retry").hidden = !["failed", "rejected", "cancelled"].includes(job.state);
    this.#why(job);
  }

  /** Whether what is shown may be old. */
  lost(away) {
    this.away = away;
    if (away) say(byId("state"), "Connection lost, trying again…");
  }

  #why(job) {
    const box = byId("why");
    box.hidden = !(job.state in TITLES);
    if (box.hidden) return;
    box.classList.toggle("calm", job.state === "cancelled");
    say(byId("why-title"), TITLES[job.state]);
    const [what, next] = split(job.reason);
    say(byId("why-what"), what);
    say(byId("why-next"), next);
    byId("why-next-row").hidden = !next;
    say(byId("why-code"), job.code || job.state);
  }
}

/** A reason says what is wrong, and in its last sentence what to do about it. */
export function split(reason) {
  const sentences = (reason ?? "").match(/[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]*\s*/g) ?? [];
  if (sentences.length < 2) return [reason || "No reason was given.", ""];
  return [sentences.slice(0, -1).join("").trim(), sentences.at(-1).trim()];
}

const took = (job) => (job.elapsed_s == null ? "–" : span(job.elapsed_s));
const left = (at) => (at.eta_s == null ? "–" : at.eta_s < 5 ? "seconds" : `about ${span(at.eta_s)}`);
