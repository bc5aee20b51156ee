/** Server-sent events that go on after a lost connection, from the last that was seen. */

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;

/**
 * Listen on `path`. `on` holds a function for each kind of event, given its data; `lost` and
 * `found` tell of the connection. Returns what ends it. After `end` it is not opened again.
 *
 * A browser goes on by itself (with Last-Event-ID) after a connection that was cut, and gives up
 * for good after an answer that is an error: then it is opened anew here, later and later.
 */
export function listen(path, on, { lost = () => {}, found = () => {} } = {}) {
  let source = null;
  let timer = 0;
  let wait = FIRST_WAIT_MS;

  function open() {
    source = new EventSource(path);
    source.onopen = () => {
      wait = FIRST_WAIT_MS;
      found();
    };
    source.onerror = () => {
      lost();
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
    for (const [kind, take] of Object.entries(on)) {
      source.addEventListener(kind, (event) => take(event.data ? JSON.parse(event.data) : null, event));
    }
    source.addEventListener("end", stop);
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  // A browser has six connections to an origin, over all its tabs: one that nobody sees has none.
  function attend() {
    if (document.visibilityState === "hidden") close();
    else if (!source) open();
  }

  function stop() {
    close();
    document.removeEventListener("visibilitychange", attend);
    removeEventListener("pagehide", close);
    removeEventListener("pageshow", attend);
  }

  attend();
  document.addEventListener("visibilitychange", attend);
  addEventListener("pagehide", close);
  addEventListener("pageshow", attend);
  return stop;
}
