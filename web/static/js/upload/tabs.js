// What the tabs of this browser tell each other of their uploads. To ask the server for an upload takes it from whoever
// sends it, so two tabs with one file would take it from each other for ever.

// Timers of a tab in the background run once a minute: one that was silent for longer is closed, or sleeps.
const SILENCE_MS = 75_000;

const channel = globalThis.BroadcastChannel ? new BroadcastChannel("rungs-uploads") : null;
const heard = new Map();

/** Listen: `onHello()` when a tab was opened, `onNews({ kind, place, part, job })` of an upload elsewhere. */
export function initTabs({ onHello, onNews }) {
  channel?.addEventListener("message", ({ data }) => {
    if (data.kind === "hello") return onHello();
    if (["holds", "takes"].includes(data.kind)) heard.set(data.place, { part: data.part, at: Date.now() });
    else heard.delete(data.place);
    return onNews(data);
  });
  tell("hello");
}

/** Tell the other tabs: `holds` an upload, `left` it, `takes` it, has `sent` it, has `ended` it. */
export function tell(kind, place = "", more = {}) {
  channel?.postMessage({ kind, place, ...more });
}

/** Which part (0..1) of an upload another tab has sent, as far as it told; null if no tab has it. */
export function elsewhere(place) {
  const last = heard.get(place);
  return last && Date.now() - last.at < SILENCE_MS ? last.part : null;
}

/** Take an upload from the other tabs. */
export function take(place, part) {
  heard.delete(place);
  tell("takes", place, { part });
}

/** Remember that somebody else goes on with an upload, who may have told nothing. */
export function lost(place, part) {
  if (elsewhere(place) === null) heard.set(place, { part, at: Date.now() });
}
