// The menus of language and captions under the player.

import { captionsShown, showCaptions } from "./captions.js";
import { show } from "../shared/dom.js";
import { recall, remember } from "../shared/remembered.js";
import { text } from "../shared/texts.js";
import { captionLike, kindOf, soundLike } from "./track-choice.js";
import { namesOf } from "./track-names.js";

const SOUND = "sound";
const CAPTIONS = "captions";
const OFF = "";

const menus = document.getElementById("tracks");
const soundMenu = document.getElementById("sound");
const captionMenu = document.getElementById("captions");
let sounds = []; // the audio tracks that can be chosen now
let captions = []; // the subtitles that can be
let picked; // the id of what the visitor chose on this page, null for none; undefined before that
let wanted = null; // the id of what is to be in view

/** The label of the audio track that the job's video begins with; undefined leaves it to the file. */
export function firstSound(job) {
  return soundLike(recall(SOUND), job.audio)?.label;
}

/**
 * Show the menus for what the source plays of the job, and its captions; nothing for null.
 *
 * A source has `sounds` (the labels of its audio tracks), `sound` (the one that is heard) and `chooseSound(label)`, if
 * there is a choice. One that is `captioned` brings its captions itself.
 */
export function showTracks(job, player, source) {
  sounds = source?.sounds ? job.audio.filter(({ label }) => source.sounds.includes(label)) : [];
  captions = source && !source.captioned ? named(job.subtitles.filter(({ url }) => url)) : [];
  const heard = sounds.find(({ label }) => label === source.sound) ?? job?.audio.find((track) => track.default);
  wanted = captionOf(heard?.language ?? "");
  showCaptions(player, captions, wanted);
  const offered = named(sounds).map(({ label, name }) => [label, name]);
  fill(soundMenu, offered.length > 1 ? offered : [], heard?.label, (label) => chooseSound(label, source));
  const choices = captions.map(({ id, name }) => [id, name]);
  const off = [OFF, text("track.off")];
  fill(captionMenu, choices.length > 0 ? [off, ...choices] : [], wanted ?? OFF, (id) => chooseCaption(id || null, player));
  show(menus, [soundMenu, captionMenu].some((menu) => menu.options.length > 0));
}

function named(tracks) {
  const names = namesOf(tracks);
  return tracks.map((track, index) => ({ ...track, name: names[index] }));
}

function captionOf(spoken) {
  if (picked === null || captions.some(({ id }) => id === picked)) return picked;
  return captionLike(recall(CAPTIONS), captions, spoken)?.id ?? null;
}

function chooseSound(label, source) {
  const { language, title } = sounds.find((track) => track.label === label);
  remember(SOUND, { language, title });
  source.chooseSound(label);
}

function chooseCaption(id, player) {
  picked = wanted = id;
  const chosen = captions.find((subtitle) => subtitle.id === id);
  remember(CAPTIONS, chosen ? { language: chosen.language, kind: kindOf(chosen) } : { off: true });
  showCaptions(player, captions, id);
  captionMenu.value = id ?? OFF;
}

/** Follow what the visitor chooses in the browser's own controls; they turn off what was in view before. */
export function followControls(player) {
  player.textTracks.addEventListener("change", () => {
    const shown = captionsShown(player);
    // Chromium, as it loads a video, adds captions of its own choice to those in view.
    if (shown.includes(wanted)) showCaptions(player, captions, wanted);
    else if (captions.length > 0 && (shown[0] ?? null) !== wanted) chooseCaption(shown[0] ?? null, player);
  });
}

/** Offer these choices, `[value, words]`; an open menu is left alone while they stay the same. */
function fill(menu, choices, value, choose) {
  const key = JSON.stringify(choices);
  if (menu.dataset.filled !== key) {
    menu.dataset.filled = key;
    menu.replaceChildren(...choices.map(([choice, words]) => new Option(words, choice)));
    show(menu.closest("label"), choices.length > 0);
  }
  if (menu.value !== value) menu.value = value;
  menu.onchange = () => choose(menu.value);
}
