// Says when the page is not live, and nothing when it is.

import { field, setText, show } from "../shared/dom.js";
import { text } from "../shared/texts.js";

/** Show how the page is kept up to date: "live", "polling" or "offline". */
export function showMode(mode) {
  document.documentElement.dataset.live = mode;
  const note = field(document, "live-note");
  if (mode !== "live") setText(field(note, "live-words"), text(`live.${mode}`));
  show(note, mode !== "live");
}
