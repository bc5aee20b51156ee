/** Sending a file straight to the bucket, part by part, by addresses that the gateway presigns. */
import { ask } from "./api.js";
import { put } from "./tus.js";

const AT_ONCE = 3;

/** Begin; the address of the upload. */
export async function begin(file, { profile }, signal) {
  const body = {
    name: file.name,
    method: "multipart",
    size_bytes: file.size,
    content_type: file.type,
    options: profile ? { profile } : {},
  };
  return (await ask("uploads", { method: "POST", body, signal })).upload;
}

/** How many bytes it has, or null where it is no more. */
export async function offset(upload, signal) {
  try {
    const found = await ask(`uploads/${upload}`, { signal });
    return found.state === "completed" ? found.size_bytes : taken(found.parts);
  } catch (error) {
    if (error.status === 404 || error.status === 410) return null;
    throw error;
  }
}

/** Send what is missing and complete it; the job that it becomes. Throws as `tus.send` does. */
export async function send(upload, file, _from, progress, signal) {
  const found = await ask(`uploads/${upload}`, { signal });
  if (found.state === "completed") return found.job;
  const known = new Set(found.parts.map((part) => part.number));
  const count = Math.ceil(file.size / found.part_bytes);
  const missing = Array.from({ length: count }, (_, at) => at + 1).filter((number) => !known.has(number));
  const sent = new Map();
  let done = taken(found.parts);
  const tell = () => progress(done + [...sent.values()].reduce((sum, bytes) => sum + bytes, 0));

  // One that fails calls the others off; what they sent is sent again.
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  async function lane() {
    for (let number = missing.shift(); number; number = missing.shift()) {
      const piece = file.slice((number - 1) * found.part_bytes, number * found.part_bytes);
      const { parts } = await ask(`uploads/${upload}/parts`, { method: "POST", body: { numbers: [number] }, signal: both });
      await put("PUT", parts[0].url, piece, { progress: (bytes) => (sent.set(number, bytes), tell()), signal: both });
      sent.delete(number);
      done += piece.size;
      tell();
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } catch (error) {
    stop.abort();
    throw error;
  }
  return (await ask(`uploads/${upload}/complete`, { method: "POST", signal })).job;
}

export const drop = (upload) => ask(`uploads/${upload}`, { method: "DELETE" });

const taken = (parts) => parts.reduce((sum, part) => sum + part.size_bytes, 0);
