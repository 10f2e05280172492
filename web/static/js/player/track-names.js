// What the tracks of a job are called in the page's language.

import { language, text } from "../shared/texts.js";

const HERE = new Intl.DisplayNames([language], { type: "language" });
const IN_LABELS = new Intl.DisplayNames(["en"], { type: "language" }); // as the server names languages

/** The names of audio or subtitle tracks, in their order, no two alike: the server's labels are what they fall back to. */
export function namesOf(tracks) {
  const names = tracks.map(nameOf);
  return names.map((name, index) => (names.indexOf(name) === names.lastIndexOf(name) ? name : tracks[index].label));
}

/** The label with its language in the page's words; what the track's author wrote stays as it is. */
function nameOf({ title, language: tag, label, sdh, forced }) {
  const begin = languageName(tag, IN_LABELS);
  const isOwn = title && title !== begin && label.startsWith(title);
  if (!begin || !label.startsWith(begin) || isOwn) return label;
  const [name, rest] = [languageName(tag), label.slice(begin.length)];
  if (rest && !rest.startsWith(" (")) return name + rest;
  if (forced) return text("track.forced", { name });
  return sdh ? text("track.sdh", { name }) : name + rest;
}

/** The language of a BCP 47 tag in the page's words; "" for what is none. */
export function languageName(tag, languages = HERE) {
  try {
    return languages.of(tag);
  } catch {
    return "";
  }
}
