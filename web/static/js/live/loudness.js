// How loud the sound of a job is, as EBU R 128 measures it.

import { namesOf } from "../player/track-names.js";
import { number } from "../shared/format.js";
import { text } from "../shared/texts.js";

/**
 * A line for each audio track that was measured and is not silent; the only track of a job needs no name. `wanted` is
 * the loudness in LUFS to which the job's sound was brought, null for none.
 */
export function loudnessLines(tracks, wanted) {
  const names = namesOf(tracks);
  return tracks.flatMap(({ loudness }, index) => {
    if (typeof loudness?.integrated !== "number") return [];
    const measured = changed(loudness, wanted);
    return [tracks.length > 1 ? text("loudness.of", { name: names[index], measured }) : text("loudness.one", { measured })];
  });
}

/** What was measured of a track, and what was done to it. */
function changed({ integrated, range, true_peak: peak, gain, lacks }, wanted) {
  let told = text("loudness.measured", { integrated: number(integrated, 1), range: number(range, 1), peak: number(peak, 1) });
  const decibels = number(Math.abs(gain), 1);
  if (decibels !== number(0)) told = text(gain > 0 ? "loudness.louder" : "loudness.quieter", { measured: told, gain: decibels });
  return lacks > 0 ? text("loudness.limited", { measured: told, lacks: number(lacks, 1), wanted: number(wanted) }) : told;
}
