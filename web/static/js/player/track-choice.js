// Which tracks a video begins with: what was chosen last, by what tracks of different videos have in common.

/** The audio track like the one that was chosen last; undefined leaves the choice to the file. */
export function soundLike(last, tracks) {
  return nearest(last, tracks, ({ title }) => title === last.title);
}

/** The subtitles like those that were chosen last; without a choice, those that belong to the sound's own language. */
export function captionLike(last, subtitles, spoken) {
  if (last?.off) return undefined;
  const forced = subtitles.filter((subtitle) => subtitle.forced);
  const whole = subtitles.filter((subtitle) => !subtitle.forced);
  const like = (subtitle) => kindOf(subtitle) === last.kind;
  return nearest(last, last?.kind === "forced" ? forced : whole, like) ?? nearest({ language: spoken }, forced, () => true);
}

/** What kind of subtitles these are. */
export function kindOf({ forced, sdh }) {
  if (forced) return "forced";
  return sdh ? "sdh" : "plain";
}

/** The first track in the wanted language, at best in its script and region too and one that is `like` the wanted one. */
function nearest(wanted, tracks, like) {
  if (typeof wanted?.language !== "string") return undefined;
  const score = (track) => 2 * (track.language === wanted.language) + like(track);
  const near = tracks.filter((track) => base(track.language) === base(wanted.language));
  return near.sort((one, other) => score(other) - score(one))[0];
}

function base(tag) {
  return tag.split("-")[0];
}
