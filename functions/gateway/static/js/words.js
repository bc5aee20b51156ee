/** Numbers and times as people say them. */

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

/** `1.4 GB`. */
export function bytes(count) {
  if (count == null) return "";
  let unit = 0;
  while (count >= 999.5 && unit < UNITS.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${unit && count < 10 ? count.toFixed(1) : Math.round(count)} ${UNITS[unit]}`;
}

/** `40 s`, `3 min 20 s`, `2 h 5 min`. */
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return s % 60 ? `${min} min ${s % 60} s` : `${min} min`;
  const h = Math.floor(min / 60);
  return min % 60 ? `${h} h ${min % 60} min` : `${h} h`;
}

/** A place in a film: `1:04`, `1:02:09`. */
export function place(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
}

const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** `2 minutes ago`. */
export function ago(time, now = Date.now()) {
  const s = (new Date(time) - now) / 1000;
  if (s > -45) return "just now";
  if (s > -3600) return AGO.format(Math.round(s / 60), "minute");
  if (s > -86400) return AGO.format(Math.round(s / 3600), "hour");
  if (s > -86400 * 14) return AGO.format(Math.round(s / 86400), "day");
  return new Date(time).toLocaleDateString(undefined, { dateStyle: "medium" });
}

export const clock = (time) => new Date(time).toLocaleTimeString(undefined, { timeStyle: "medium" });
export const exact = (time) => new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** `37 %`: never 100 before the end. */
export const percent = (share) => `${Math.min(share < 1 ? 99 : 100, Math.floor(share * 100))} %`;

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** The name of a file out of an object's key. */
export const fileOf = (key) => key.split("/").pop();

const STATES = {
  accepted: "Waiting",
  preparing: "Preparing",
  encoding: "Encoding",
  assembling: "Finishing",
  completed: "Ready",
  rejected: "Rejected",
  failed: "Failed",
  cancelled: "Cancelled",
};

export const stateWord = (state) => STATES[state] ?? state;
export const ended = (state) => ["completed", "rejected", "failed", "cancelled"].includes(state);
