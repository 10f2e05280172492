// Captions: a <track> of the video for each of the job's subtitles. So they are the same in HLS and in the MP4s, and one
// that is added later is there at once.

/** Give the video a <track> for each of the subtitles (the job's, with their `name`), and show the one with this id. */
export function showCaptions(player, subtitles, id) {
  const left = new Map(elementsOf(player).map((element) => [element.dataset.made, element]));
  for (const subtitle of subtitles) {
    const made = JSON.stringify(subtitle);
    const element = left.get(made) ?? player.appendChild(trackOf(subtitle, made));
    left.delete(made);
    const mode = subtitle.id === id ? "showing" : "disabled";
    if (element.track.mode !== mode) element.track.mode = mode;
  }
  for (const element of left.values()) element.remove();
}

/** The ids of the subtitles in view: the browser's own controls can change them too. */
export function captionsShown(player) {
  const shown = elementsOf(player).filter(({ track }) => track.mode === "showing");
  return shown.map((element) => element.dataset.subtitle);
}

function elementsOf(player) {
  return [...player.querySelectorAll("track")];
}

function trackOf({ id, url, name, language, sdh }, made) {
  const element = document.createElement("track");
  Object.assign(element.dataset, { made, subtitle: id });
  element.kind = sdh ? "captions" : "subtitles";
  element.label = name;
  element.srclang = language;
  element.src = url;
  return element;
}
