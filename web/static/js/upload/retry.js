// When a refused or broken upload goes on, and in pieces of which size: pure decisions.

export const UNREADABLE = "unreadable"; // code of a file that is not what was chosen any more
const BUSY = [408, 425, 429, 502, 503, 504];
const BUSY_SECONDS = 10; // when the server is busy and does not say for how long
const MOVED = [404, 409]; // the upload is not where it was thought: the next attempt asks
const FIRST_PAUSE = 3;
const LONGEST_PAUSE = 48;
const TRIES = 6; // of what is no better each time; about a minute and a half in all
const MEBIBYTE = 2 ** 20;

// A file goes in one request, so that a fast line never waits for an answer. A proxy may limit bodies: Cloudflare takes
// 100 MB, nginx 1 MiB unless it is told otherwise.
export const WHOLE = Infinity;
const PIECES = [64 * MEBIBYTE, 16 * MEBIBYTE, 4 * MEBIBYTE, MEBIBYTE];
// So often bytes may be lost on the way before pieces get smaller: some proxies refuse without a word, or keep a body
// until it is whole.
const LOSSES = 3;

/**
 * Seconds to wait before an upload goes on; null when only the visitor can decide.
 *
 * `failures` counts attempts since the server last had more bytes. Without a line an upload waits for as long as it takes.
 */
export function pauseBefore(problem, failures) {
  if (problem.retryAfter !== null) return Math.max(1, problem.retryAfter);
  if (problem.code === UNREADABLE) return null;
  if (BUSY.includes(problem.status)) return BUSY_SECONDS;
  if (problem.status !== 0 && failures >= TRIES) return null;
  if (MOVED.includes(problem.status)) return 1;
  if (problem.status !== 0 && problem.status < 500) return null;
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1));
}

/** The size of pieces after a problem: smaller when it seems that a proxy refuses larger ones, otherwise the same. */
export function pieceAfter(problem, { failures, unconfirmed, piece }) {
  const proxyRefused = problem.status === 413 && problem.code !== "upload_too_large";
  const lostAgain = problem.status === 0 && unconfirmed && failures >= LOSSES;
  return proxyRefused || lostAgain ? (PIECES.find((smaller) => smaller < piece) ?? piece) : piece;
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
