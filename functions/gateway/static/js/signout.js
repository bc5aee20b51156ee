/** Ends the session. */
import { ask } from "./api.js";
import { byId } from "./element.js";

byId("sign-out").addEventListener("click", async () => {
  try {
    await ask("/session", { method: "DELETE" });
  } finally {
    location.assign("/sign-in");
  }
});
