/** Which profile files are sent with; the choice is kept. */
import { ask } from "./api.js";
import { byId, make, say } from "./element.js";

const KEY = "kinora.profile";

/** Fill the choice; returns what gives the name chosen, "" for the default. */
export function chooseProfile(failed) {
  const select = byId("profile");
  const says = byId("profile-says");
  let known = new Map();

  function tell() {
    const found = known.get(select.value || "default");
    if (found) say(says, [found.description, ladder(found)].filter(Boolean).join(" · "));
  }

  async function fill() {
    const { profiles } = await ask("profiles");
    known = new Map(profiles.map((profile) => [profile.name, profile]));
    const others = profiles.filter((profile) => profile.name !== "default");
    select.replaceChildren(
      make("option", { value: "" }, "default"),
      ...others.map((profile) => make("option", { value: profile.name }, profile.name)),
    );
    const last = localStorage.getItem(KEY);
    if (known.has(last)) select.value = last;
    tell();
  }

  select.addEventListener("change", () => {
    localStorage.setItem(KEY, select.value);
    tell();
  });
  fill().catch(failed);
  return () => select.value;
}

function ladder(profile) {
  const heights = (profile.video?.ladder ?? []).map((rung) => `${rung.height}p`);
  return heights.length ? `up to ${heights.join(", ")}` : "";
}
