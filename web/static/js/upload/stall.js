// When a line is taken for dead on which nothing moves.

const LOOK_MS = 5000;
// Without a byte for so long the line is taken for dead; browsers may wait for a quarter of an hour. What a system's own
// buffers hold takes a slow line a minute.
const STALL_MS = 120_000;
const OFFLINE_STALL_MS = 10_000; // after the browser said that it is offline, which is a guess of its own
// When all is sent, the server may still join the parts: of 60 GB in some minutes.
const CONFIRM_MS = 15 * 60_000;
// Timers of a page in the background run once a minute. A longer gap means that the machine slept.
const SLEPT_MS = 120_000;

/**
 * Watch an attempt to send `size` bytes, and call `onStall()` when its line is dead.
 *
 * Returns `moved(sent)` to be told of bytes, and `end()`.
 */
export function watchForStall(size, onStall) {
  let moved = Date.now();
  let looked = moved;
  let patience = STALL_MS;
  const look = () => {
    const now = Date.now();
    if (now - moved > patience || now - looked > SLEPT_MS) onStall();
    looked = now;
  };
  const offline = () => {
    moved = Date.now();
    patience = Math.min(patience, OFFLINE_STALL_MS);
  };
  const timer = setInterval(look, LOOK_MS);
  addEventListener("offline", offline);
  return {
    moved(sent) {
      moved = Date.now();
      patience = sent < size ? STALL_MS : CONFIRM_MS;
    },
    end() {
      clearInterval(timer);
      removeEventListener("offline", offline);
    },
  };
}
