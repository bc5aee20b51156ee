/** The public API, and its errors as sentences. */

const ROOT = "/api/v1";

/** What a request could not do: `message` is for people; `status` is 0 where nobody answered. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(sentence(status, body, retryAfter));
    this.status = status;
  }
}

/** Send a request; its JSON, or null where the answer has no body. Throws Problem. */
export async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  const options = { method, headers: { accept: "application/json", ...headers }, signal };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  if (method === "POST") options.headers["idempotency-key"] ??= crypto.randomUUID?.() ?? random();
  let response;
  try {
    response = await fetch(path.startsWith("/") ? path : `${ROOT}/${path}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, null);
  }
  if (response.ok) {
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  }
  throw await problem(response);
}

export async function problem(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    // A proxy's own page: the status says enough.
  }
  if (response.status === 401 && location.pathname !== "/sign-in") {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
  }
  return new Problem(response.status, body, response.headers.get("retry-after"));
}

function sentence(status, body, retryAfter) {
  if (status === 0) return "Kinora cannot be reached. Check the connection and try again.";
  // Kinora's own say what to do; whoever stands before it says only a number.
  if (body?.detail) return body.detail;
  const wait = Number(retryAfter);
  return `The request was answered with status ${status}. Try again ${wait ? `in ${wait} s` : "in a moment"}.`;
}

/** Only a page over plain HTTP has no randomUUID. */
function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
