/** Uploads that were begun, so that they go on after the page was left. Only addresses, no files. */

const KEY = "kinora.uploads";

export const nameOf = (file) => [file.name, file.size, file.lastModified].join("/");

export function all() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

export const find = (file) => all().find((each) => each.of === nameOf(file));

export function keep(file, { method, address, profile }) {
  const entry = { of: nameOf(file), name: file.name, size: file.size, method, address, profile };
  write([...all().filter((each) => each.of !== entry.of), entry]);
}

export const forget = (of) => write(all().filter((each) => each.of !== of));

function write(entries) {
  try {
    localStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // A browser that keeps nothing: then an upload does not outlive its page.
  }
}
