// Marks under the rail of the bar: where the upload was damaged, and what of it.

import { clock, number } from "../shared/format.js";
import { text } from "../shared/texts.js";

const LEAST = 0.1; // tenths are shown, and no place lasts "0 s"

/** Make `list` hold a mark for each place of damage in a video of `whole` seconds. */
export function markDamage(list, damage, whole) {
  const drawn = `${whole} ${damage.length}`;
  if (list.dataset.drawn === drawn) return;
  list.dataset.drawn = drawn;
  list.replaceChildren(...damage.map((place) => mark(place, whole)));
  list.hidden = damage.length === 0;
}

function mark({ kind, start, seconds }, whole) {
  const item = document.createElement("span");
  const words = text("damage.place", {
    damage: text(`damage.${kind}`),
    duration: number(Math.max(LEAST, seconds), 1),
    at: clock(start),
  });
  item.className = kind;
  item.title = words;
  item.setAttribute("role", "img");
  item.setAttribute("aria-label", words);
  item.style.insetInlineStart = `${(start / whole) * 100}%`;
  item.style.inlineSize = `${(seconds / whole) * 100}%`;
  return item;
}

/** What is damaged at a moment, in words; places count up to `slack` seconds beside them. Nothing where all is well. */
export function damageAt(damage, moment, slack) {
  const kinds = damage
    .filter(({ start, seconds }) => moment >= start - slack && moment <= start + seconds + slack)
    .map(({ kind }) => text(`damage.${kind}`));
  return [...new Set(kinds)].join(", ");
}
