// How loud the sound of a job is, as EBU R 128 measures it.

import { namesOf } from "../player/track-names.js";
import { number } from "../shared/format.js";
import { text } from "../shared/texts.js";

/** A line for each audio track that was measured and is not silent; the only track of a job needs no name. */
export function loudnessLines(tracks) {
  const names = namesOf(tracks);
  return tracks.flatMap(({ loudness }, index) => {
    if (typeof loudness?.integrated !== "number") return [];
    const measured = text("loudness.measured", {
      integrated: number(loudness.integrated, 1),
      range: number(loudness.range, 1),
      peak: number(loudness.true_peak, 1),
    });
    return [tracks.length > 1 ? text("loudness.of", { name: names[index], measured }) : text("loudness.one", { measured })];
  });
}
