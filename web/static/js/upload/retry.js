// When a refused or broken upload is tried again: pure decisions.

const BUSY = [429, 502, 503, 504];
const BUSY_SECONDS = 10; // when the server is busy and does not say for how long
const FIRST_PAUSE = 3;
const LONGEST_PAUSE = 48;
const TRIES = 6; // without a connection; about a minute and a half in all

/** Seconds to wait before trying again; null when only the visitor can decide. `failures` counts lost connections. */
export function pauseBefore(problem, failures) {
  if (problem.retryAfter !== null) return Math.max(1, problem.retryAfter);
  if (BUSY.includes(problem.status)) return BUSY_SECONDS;
  if (problem.status !== 0 || failures >= TRIES) return null;
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1));
}

/** Count down, calling `onSecond(left)`; resolves early when `hurry` fires, rejects when `signal` is aborted. */
export function countDown(seconds, { signal, hurry, onSecond }) {
  return new Promise((resolve, reject) => {
    const end = Date.now() + seconds * 1000;
    const finish = (settle) => {
      clearInterval(timer);
      settle();
    };
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) finish(resolve);
      else onSecond(left);
    };
    const timer = setInterval(tick, 250);
    hurry.addEventListener("hurry", () => finish(resolve), { once: true });
    signal.addEventListener("abort", () => finish(() => reject(signal.reason)), { once: true });
    tick();
  });
}
