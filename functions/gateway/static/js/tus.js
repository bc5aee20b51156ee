/** Sending a file by tus 1.0, in pieces, from where it was left off. */
import { problem } from "./api.js";

const VERSION = { "tus-resumable": "1.0.0" };
const PIECE_BYTES = 16 * 1024 * 1024;

const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** Begin; the address of the upload. */
export async function begin(file, { profile }, signal) {
  const metadata = { filename: file.name, filetype: file.type, ...(profile && { "kinora-profile": profile }) };
  const response = await fetch("/api/v1/tus", {
    method: "POST",
    signal,
    headers: {
      ...VERSION,
      "upload-length": String(file.size),
      "upload-metadata": Object.entries(metadata)
        .filter(([, value]) => value)
        .map(([name, value]) => `${name} ${encoded(value)}`)
        .join(","),
    },
  });
  if (!response.ok) throw await problem(response);
  return new URL(response.headers.get("location"), location).pathname;
}

/** How many bytes it has, or null where it is no more. */
export async function offset(address, signal) {
  const response = await fetch(address, { method: "HEAD", headers: VERSION, signal });
  if (response.status === 404 || response.status === 410) return null;
  if (!response.ok) throw await problem(response);
  return Number(response.headers.get("upload-offset"));
}

/**
 * Send from `from` to the end; `progress(bytes)` is told on the way. The headers of the last answer.
 *
 * Throws Problem, and DOMException `AbortError` when `signal` calls it off.
 */
export async function send(address, file, from, progress, signal) {
  let at = from;
  let answer = null;
  do {
    const piece = file.slice(at, at + PIECE_BYTES);
    const start = at;
    answer = await patch(address, piece, start, (sent) => progress(start + sent), signal);
    at = Number(answer.get("upload-offset"));
    progress(at);
  } while (at < file.size);
  return answer;
}

export const drop = (address) => fetch(address, { method: "DELETE", headers: VERSION });

function patch(address, piece, at, progress, signal) {
  const headers = { ...VERSION, "upload-offset": String(at), "content-type": "application/offset+octet-stream" };
  return put("PATCH", address, piece, { headers, progress, signal });
}

/** One request with a body whose progress is told, which `fetch` cannot do. The answer's headers. */
export function put(method, address, body, { headers = {}, progress = () => {}, signal }) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    const end = () => fail(new DOMException("called off", "AbortError"));
    request.open(method, address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("error", async () => fail(await problem(Response.error())));
    request.addEventListener("abort", end);
    request.addEventListener("load", async () => {
      if (request.status < 300) done(new Headers(headerLines(request)));
      else fail(await problem(new Response(request.response || null, { status: request.status, headers: headerLines(request) })));
    });
    if (signal?.aborted) return end();
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

function headerLines(request) {
  return request
    .getAllResponseHeaders()
    .trim()
    .split(/\r?\n/)
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
}
