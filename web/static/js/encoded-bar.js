// The bar under the video: how far it is encoded, can be watched, and was watched.

import { field } from "./dom.js";
import { duration } from "./format.js";
import { text } from "./texts.js";

const bar = document.getElementById("encoded");

/** Show the bar while the job encodes; `source` (null: none) knows up to where there is something to play. */
export function showEncoded(job, player, source) {
  const whole = job.plan?.duration;
  const growing = Boolean(source) && Boolean(whole) && job.state !== "ready";
  bar.toggleAttribute("data-growing", growing);
  if (!growing) return;
  const playable = Math.min(source.edge ?? 0, whole);
  fill("encoded-part", job.rungs[0].progress);
  fill("playable-part", playable / whole);
  fill("played-part", player.currentTime / whole);
  bar.setAttribute("aria-valuenow", String(Math.round((100 * playable) / whole)));
  const words = text("player.playable", { part: duration(playable), whole: duration(whole) });
  bar.setAttribute("aria-valuetext", words);
  bar.title = words;
}

function fill(name, fraction) {
  field(bar, name).style.inlineSize = `${Math.min(1, fraction) * 100}%`;
}
