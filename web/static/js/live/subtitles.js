// The subtitles of a job: what there is, and adding, replacing and deleting. What is changed is to be seen at once.

import { act } from "./acting.js";
import { kindOf } from "../player/track-choice.js";
import { languageName, namesOf } from "../player/track-names.js";
import { ask } from "../shared/api.js";
import { copyOf, field, setText, show } from "../shared/dom.js";
import { language, text } from "../shared/texts.js";

const ADDED = "added";
const CLOSED = ["uploading", "failed", "cancelled"]; // states in which there is nothing to put subtitles to
const TAG = /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$/; // language, script, region: what the server knows
// What films are mostly subtitled in; the visitor's own languages stand before them.
const USUAL = [
  "ar", "bg", "bn", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr",
  "hu", "id", "is", "it", "ja", "ko", "lt", "lv", "ms", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru",
  "sk", "sl", "sr", "sv", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh-Hans", "zh-Hant",
];

const panel = document.getElementById("subtitles");
const list = field(panel, "subtitle-list");
const failure = field(panel, "subtitle-error");
const form = panel.querySelector("form");
const confirmation = document.getElementById("confirm-subtitles");
const replacement = field(panel, "replacement");
let drawn = "";
let deleting = null; // { address, button } of the subtitles whose deletion is asked about

/** Make the panel work for the job; `changed` brings the page up to date afterwards. */
export function initSubtitles(job, changed) {
  const address = `${job.links.self}/subtitles`;
  form.language.append(...languageChoices());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { file, language: tag, forced, sdh } = form;
    const told = { language: tag.value, forced: forced.checked, sdh: sdh.checked };
    act(form.add, failure, () => ask(`${address}?${query(told)}`, "POST", file.files[0]), added);
  });
  list.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const subtitle = JSON.parse(button.closest("li").dataset.subtitle);
    const chosen = { address: `${address}/${subtitle.id}`, subtitle, button };
    if (button.name === "delete") askFirst(chosen);
    else replace(chosen, changed);
  });
  confirmation.addEventListener("close", () => {
    const { address: gone, button } = deleting;
    if (confirmation.returnValue === "yes") act(button, failure, () => ask(gone, "DELETE"), changed);
  });

  async function added() {
    form.reset();
    await changed();
  }
}

function query({ language: tag, title = "", default: isDefault = false, forced, sdh }) {
  return new URLSearchParams({ language: tag, label: title, default: isDefault, forced, sdh });
}

function askFirst(chosen) {
  deleting = chosen;
  confirmation.returnValue = "";
  confirmation.showModal();
}

function replace({ address, subtitle, button }, changed) {
  replacement.value = ""; // the same file again is a choice too
  replacement.onchange = () => {
    const [file] = replacement.files;
    act(button, failure, () => ask(`${address}?${query(subtitle)}`, "PUT", file), changed);
  };
  replacement.click();
}

/** Show the subtitles of a job that can be watched, or may be some day; nothing for null. */
export function showSubtitles(job) {
  show(panel, Boolean(job) && !CLOSED.includes(job.state));
  const { subtitles } = job ?? { subtitles: [] };
  const key = JSON.stringify(subtitles);
  if (drawn === key) return;
  drawn = key;
  const names = namesOf(subtitles);
  list.replaceChildren(...subtitles.map((subtitle, index) => row(subtitle, names[index])));
}

function row(subtitle, name) {
  const item = copyOf("subtitle-row");
  item.dataset.subtitle = JSON.stringify(subtitle);
  setText(field(item, "name"), name);
  const words = [text(`subtitle.${kindOf(subtitle)}`), text(`subtitle.${subtitle.origin}`)];
  setText(field(item, "kind"), words.join(" · "));
  const download = field(item, "download");
  show(download, Boolean(subtitle.url));
  if (subtitle.url) download.href = `${subtitle.url}${subtitle.url.includes("?") ? "&" : "?"}download`;
  for (const button of item.querySelectorAll("a, button")) {
    button.setAttribute("aria-label", text(`subtitle.${button.name || "download"}`, { name }));
  }
  show(field(item, "changes"), subtitle.origin === ADDED);
  return item;
}

function languageChoices() {
  const own = [...new Set([language, ...navigator.languages])].filter((tag) => TAG.test(tag));
  const names = new Intl.Collator(language);
  const usual = USUAL.filter((tag) => !own.includes(tag));
  usual.sort((one, other) => names.compare(languageName(one), languageName(other)));
  return [...own, ...usual].map((tag) => new Option(languageName(tag), tag));
}
