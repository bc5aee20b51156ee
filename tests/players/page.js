/** Plays streams with one of three players, and notes what they do and which pictures are seen. */

const BITS = 12;
const COLUMNS = 16;
/** dash.js's number for it. */
const WARNINGS = 3;
const video = document.querySelector("video");
const canvas = new OffscreenCanvas(COLUMNS * 8, 8).getContext("2d", { willReadFrequently: true });

/** What no player should do with streams that are whole, each a sentence. */
const noted = [];
const note = (what) => noted.push(`${what} at ${video.currentTime.toFixed(3)} s`);

const script = (address) =>
  new Promise((resolve, reject) => {
    const node = document.createElement("script");
    Object.assign(node, { src: address, onload: resolve, onerror: () => reject(new Error(`no ${address}`)) });
    document.head.append(node);
  });

const PLAYERS = {
  async "hls.js"(address) {
    await script("/npm/hls.js/dist/hls.min.js");
    const hls = new Hls({ startPosition: 0 });
    // A request that a seek made needless is aborted.
    hls.on(Hls.Events.ERROR, (_, error) => error.details !== "aborted" && note(`hls.js: ${error.details}`));
    hls.loadSource(address);
    hls.attachMedia(video);
    return Hls.version;
  },

  async shaka(address) {
    await script("/npm/shaka-player/dist/shaka-player.compiled-es2021.js");
    const player = new shaka.Player();
    // Through Media Source Extensions, also where a browser knows HLS by itself.
    player.configure({ streaming: { preferNativeHls: false } });
    for (const kind of ["error", "gapjumped", "stalldetected"])
      player.addEventListener(kind, (event) => note(`shaka: ${kind} ${event.detail?.code ?? ""}`));
    await player.attach(video);
    await player.load(address).catch((error) => note(`shaka: error ${error.code}`));
    return shaka.Player.version;
  },

  async "dash.js"(address) {
    await script("/npm/dashjs/dist/modern/umd/dash.all.min.js");
    const player = dashjs.MediaPlayer().create();
    // What it jumps over it tells nobody but its log.
    player.updateSettings({ debug: { dispatchEvent: true, logLevel: WARNINGS } });
    player.on("log", ({ message }) => /Jumping|break stall/.test(message) && note(`dash.js: ${message}`));
    for (const kind of ["error", "playbackError", "playbackStalled"])
      player.on(kind, (event) => note(`dash.js: ${kind} ${event.error?.message ?? ""}`));
    player.initialize(video, address, false);
    return player.getVersion();
  },
};

/** Whether what comes next is there: then it is the machine that has no time. */
const loaded = () => {
  const next = Math.min(video.currentTime + 0.2, video.duration - 0.1);
  return spans().some(([start, end]) => start <= video.currentTime && next <= end);
};
for (const kind of ["waiting", "stalled", "error"])
  video.addEventListener(kind, () => asked || video.readyState === 0 || (kind !== "error" && loaded()) || note(`video: ${kind}`));

/** Whether we seek; who else does it jumps. */
let asked = false;
video.addEventListener("seeking", () => asked || note("jumped"));

/** The number in the picture that is shown, and its media time in seconds: of one and the same. */
function seen() {
  const frame = new VideoFrame(video);
  // The code is the topmost quarter.
  const { width, height } = frame.visibleRect;
  canvas.drawImage(frame, 0, 0, width, height / 4, 0, 0, canvas.canvas.width, canvas.canvas.height);
  const at = frame.timestamp / 1e6;
  frame.close();
  const row = canvas.getImageData(0, 4, canvas.canvas.width, 1).data;
  const bits = Array.from({ length: COLUMNS }, (_, column) => row[(column * 8 + 4) * 4] > 127);
  const code = bits.slice(2, 2 + BITS);
  const ones = code.filter(Boolean).length;
  const whole = bits[0] && !bits[1] && bits[2 + BITS] === (ones % 2 === 1) && bits[3 + BITS] !== bits[2 + BITS];
  return [at, whole ? code.reduce((number, bit) => 2 * number + bit, 0) : -1];
}

const PATIENCE_MS = 20_000;
const STANDS_MS = 10_000;

/** The promise, or a sentence where it takes for ever. */
const within = (what, promise) =>
  Promise.race([
    promise,
    new Promise((_, reject) =>
      setTimeout(() => reject(new Error(`${what} takes for ever`)), PATIENCE_MS),
    ),
  ]);

const spans = () =>
  Array.from({ length: video.buffered.length }, (_, at) => [video.buffered.start(at), video.buffered.end(at)]);

const event = (kind) => new Promise((resolve) => video.addEventListener(kind, resolve, { once: true }));

async function shown(seconds) {
  const arrived = event("seeked");
  const painted = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  asked = true;
  video.currentTime = seconds;
  await within(`a seek to ${seconds}`, Promise.all([arrived, painted])).catch((error) => note(error.message));
  asked = false;
}

Object.assign(window, {
  noted,

  /** Begin with these streams; the player's version. */
  async begin(player, address) {
    const ready = event("loadeddata");
    const version = await PLAYERS[player](address);
    await within(player, ready);
    return version;
  },

  /** The picture at each of these times, one seek a time. */
  async look(times) {
    const found = [];
    for (const seconds of times) {
      await shown(seconds);
      found.push(seen());
    }
    return found;
  },

  /** Play a part: every picture that was seen, and what the browser says of those it did not show. */
  async play(from, to, rate) {
    await shown(from);
    const found = [];
    const before = video.getVideoPlaybackQuality();
    const watch = () => {
      found.push(seen());
      handle = video.requestVideoFrameCallback(watch);
    };
    let handle = video.requestVideoFrameCallback(watch);
    video.playbackRate = rate;
    await within("to play", video.play());
    let last = -1;
    let since = performance.now();
    while (!video.ended && video.currentTime < to) {
      if (video.currentTime !== last) {
        last = video.currentTime;
        since = performance.now();
      } else if (performance.now() - since > STANDS_MS) {
        note("it stands");
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    video.pause();
    video.cancelVideoFrameCallback(handle);
    const after = video.getVideoPlaybackQuality();
    return {
      frames: found,
      dropped: after.droppedVideoFrames - before.droppedVideoFrames,
      total: after.totalVideoFrames - before.totalVideoFrames,
    };
  },

  /** What is there without a gap, from and to in seconds. */
  buffered: () => spans(),

  length: () => video.duration,
});
