/** The ways in which a file is sent. All of them can be taken up again from their address. */
import { ask } from "./api.js";
import * as tus from "./tus.js";
import * as multipart from "./multipart.js";

const METHODS = {
  tus: {
    offset: tus.offset,
    drop: tus.drop,
    async send(address, file, from, progress, signal) {
      // All of it may be there, and only the answer was lost.
      const known = from < file.size ? null : await jobOf(address, signal);
      if (known) return known;
      await tus.send(address, file, from, progress, signal);
      return jobOf(address, signal);
    },
  },
  multipart,
};

export const method = (name) => METHODS[name];

/** Begin in the way that is asked for; what has to be known to go on later. */
export async function begin(name, file, { profile }, signal) {
  const address = await { tus, multipart }[name].begin(file, { profile }, signal);
  return { method: name, address, profile };
}

async function jobOf(address, signal) {
  const upload = await ask(`uploads/${address.split("/").pop()}`, { signal });
  return upload.job;
}
