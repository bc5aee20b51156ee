/** The player: what is encoded so far while the encode goes on, the whole when it is done. */
import { byId, make, say } from "./element.js";
import { place } from "./words.js";

const NATIVE = "application/vnd.apple.mpegurl";
const AGAIN_MS = 3000;
/** Between looks whether what is encoded plays in more sizes by now. */
const LOOK_MS = 4000;

export class Player {
  constructor() {
    this.video = byId("video");
    this.level = byId("level");
    this.says = byId("watch-says");
    this.address = "";
    this.level.addEventListener("change", () => {
      if (this.hls) this.hls.nextLevel = Number(this.level.value);
    });
    this.video.addEventListener("waiting", () => this.live && say(this.says, "Waiting for the encoders…"));
    this.video.addEventListener("playing", () => this.#tell());
  }

  get playing() {
    return Boolean(this.address);
  }

  /** Play from `address`. `live`: it grows; whoever watches is not thrown to its end. */
  async show(address, { live = false } = {}) {
    if (!address || address === this.address) return;
    // Who watches is left alone: the growing streams end where the whole ends.
    if (this.address && !this.video.paused && !this.video.ended) {
      if (!this.next) this.video.addEventListener("pause", () => this.#change(this.next), { once: true });
      this.next = { address, live };
      return;
    }
    await this.#change({ address, live });
  }

  /** Why there is nothing to be seen. */
  nothing(text) {
    if (this.playing) return;
    byId("screen-says").hidden = false;
    say(byId("screen-text"), text);
  }

  /** How far it can be watched, in seconds. */
  reach(seconds, length) {
    this.reached = seconds && seconds < length ? `Can be watched up to ${place(seconds)} of ${place(length)}` : "";
    if (!this.video.seeking && this.video.readyState > 2) this.#tell();
    else if (this.reached) say(this.says, this.reached);
  }

  seek(seconds) {
    if (!this.playing) return;
    this.video.currentTime = seconds;
    this.video.play().catch(() => {});
  }

  async #change({ address, live }) {
    const from = this.address ? this.video.currentTime : 0;
    Object.assign(this, { address, live });
    byId("screen-says").hidden = true;
    const Hls = await import("/static/vendor/hls/hls.js").then((module) => module.default, () => null);
    if (address !== this.address) return;
    if (Hls?.isSupported()) this.#attach(Hls, from);
    else this.#native(from);
  }

  #attach(Hls, from) {
    this.hls?.destroy();
    const hls = new Hls({ startPosition: from, workerPath: "/static/vendor/hls/hls.worker.js" });
    this.hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.#levels());
    hls.on(Hls.Events.LEVEL_SWITCHED, () => this.#tell());
    hls.on(Hls.Events.ERROR, (_, error) => error.fatal && this.#mend(Hls, error));
    hls.loadSource(this.address);
    hls.attachMedia(this.video);
    clearTimeout(this.look);
    if (this.live) this.#watch(Hls, this.address);
  }

  /** A growing stream begins with its lowest rung; players read its list of rungs only once. So it
   * is attached anew, where the film is, whenever others have begun. */
  async #watch(Hls, address, before = null) {
    const text = await fetch(address, { cache: "no-cache" }).then((answer) => (answer.ok ? answer.text() : null), () => null);
    if (address !== this.address || !this.live) return;
    if (before && text && text !== before && this.hls) {
      const plays = !this.video.paused;
      this.#attach(Hls, this.video.currentTime);
      if (plays) this.video.play().catch(() => {});
    } else {
      this.look = setTimeout(() => this.#watch(Hls, address, before ?? text), LOOK_MS);
    }
  }

  /** A playlist that is not there yet, or a lost connection, is asked for again. */
  #mend(Hls, error) {
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !this.mended) {
      this.mended = true;
      this.hls.recoverMediaError();
      return;
    }
    const from = this.video.currentTime;
    this.hls.destroy();
    this.hls = null;
    if (error.type === Hls.ErrorTypes.NETWORK_ERROR) {
      say(this.says, this.live ? "The first part is about to be there…" : "The stream cannot be reached; trying again…");
      setTimeout(() => this.hls || this.#attach(Hls, from), AGAIN_MS);
    } else {
      this.address = "";
      this.nothing("This browser cannot play it. The links lead to the streams.");
    }
  }

  #native(from) {
    if (!this.video.canPlayType(NATIVE)) {
      this.address = "";
      this.nothing("This browser needs the player that `make assets` brings. The links lead to the streams.");
      return;
    }
    this.video.src = this.address;
    this.video.addEventListener("loadedmetadata", () => (this.video.currentTime = from), { once: true });
  }

  #levels() {
    const levels = this.hls.levels.map((level, number) => [level.height, number]);
    levels.sort((one, two) => two[0] - one[0]);
    this.level.replaceChildren(
      make("option", { value: -1 }, "Automatic"),
      ...levels.map(([height, number]) => make("option", { value: number }, height ? `${height}p` : `Sound ${number + 1}`)),
    );
    this.level.disabled = levels.length < 2;
  }

  #tell() {
    const level = this.hls?.levels?.[this.hls.currentLevel];
    const now = level?.height ? `${level.height}p, ${(level.bitrate / 1e6).toFixed(1)} Mbit/s` : "";
    say(this.says, [now, this.reached].filter(Boolean).join(" · ") || "\u00a0");
  }
}
