// Server-Sent Events with a safety net: after repeated failures the page polls, and goes back to events when they work.

/** What the streams send: a job as it is, or what happened to it. */
const TYPES = ["job", "created", "state", "progress", "task", "poster", "subtitles", "playable", "deleted"];
const FAILURES = 3; // a proxy that cuts streams fails at once, a restarting server recovers before the third
const POLL_MS = 2000;
const SLOWEST_POLL_MS = 15_000;
const RETURN_MS = 30_000;

/**
 * Follow a stream of events.
 *
 * `onEvent(type, id, job)` gets each event with the job as it is now, null when it is gone. `poll()` must bring the
 * page up to date by itself and resolve, or throw when the server cannot be reached. `onMode` is told how it goes:
 * "live", "polling" or "offline". Returns a function that stops everything.
 */
export function follow({ url, onEvent, poll, onMode }) {
  let source = null;
  let failures = 0;
  let stopped = false;
  let polling = false;
  let timer = 0;
  let returnTimer = 0;

  function listen() {
    source = new EventSource(url);
    source.onopen = () => {
      failures = 0;
      polling = false;
      clearTimeout(timer);
      onMode("live");
    };
    source.onerror = () => {
      failures += 1;
      // A stream the server refused is closed for good; only a cut one connects again by itself.
      if (source.readyState === EventSource.CLOSED || failures >= FAILURES) giveUp();
    };
    for (const type of TYPES) {
      source.addEventListener(type, ({ data }) => {
        const { job_id: id, job, words } = JSON.parse(data);
        onEvent(type, id, job && { ...job, words });
      });
    }
  }

  function giveUp() {
    source.close();
    if (!polling) {
      polling = true;
      pollNow(POLL_MS);
    }
    clearTimeout(returnTimer);
    returnTimer = setTimeout(listen, RETURN_MS);
  }

  async function pollNow(delay) {
    let next = POLL_MS;
    let mode = "polling";
    try {
      await poll();
    } catch {
      next = Math.min(delay * 2, SLOWEST_POLL_MS);
      mode = "offline";
    }
    if (stopped || !polling) return;
    onMode(mode);
    timer = setTimeout(pollNow, next, next);
  }

  function stop() {
    stopped = true;
    source?.close();
    clearTimeout(timer);
    clearTimeout(returnTimer);
  }

  listen();
  // A page kept for "back" must not hold a connection; it comes back to life when it is shown again.
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted && !stopped) poll().then(listen, giveUp);
  });
  return stop;
}

/** Run a job of the page at most every so many milliseconds, and once more after the last call. */
export function throttled(action, milliseconds) {
  let waiting = false;
  let again = false;
  return function run() {
    if (waiting) {
      again = true;
      return;
    }
    waiting = true;
    action();
    setTimeout(() => {
      waiting = false;
      if (again) {
        again = false;
        run();
      }
    }, milliseconds);
  };
}
