// The bar under the video: how far it is encoded, can be watched and was watched. Pointing at it, or the arrow keys, show
// what is to be seen there; a click, or Enter, goes there.

import { chapterName, showChapters, tickChapters } from "./chapters.js";
import { damageAt, markDamage } from "./damage.js";
import { field, setText, show } from "../shared/dom.js";
import { clock, duration } from "../shared/format.js";
import { Storyboard } from "./storyboard.js";
import { text } from "../shared/texts.js";

const ARROW = 5; // seconds; in videos under a minute one
const NEAR = 3; // pixels beside a mark that are pointed at as if they were on it: marks may be that narrow
const PAGES = 10; // so many strokes of Page Up and Page Down lead through the whole video

const bar = document.getElementById("timeline");
const slider = field(bar, "place");
const preview = field(bar, "preview");
// { player, whole, reach, damage, chapters }: the element, its length and up to where it can be played, seconds; places
let video = null;
let storyboard = null;
let pointed = null; // where the pointer is, as a fraction of the bar
let chosen = null; // seconds the keys have gone to

/** Show the bar for what `source` plays of the job in the player; hide it where there is no source. */
export function showTimeline(job, player, source) {
  bar.toggleAttribute("data-shown", Boolean(source));
  if (!source) {
    video = pointed = chosen = null;
    showChapters([], 0, 0, goTo);
    return;
  }
  const growing = source.growing ?? job.state !== "ready";
  const whole = growing || !Number.isFinite(player.duration) ? job.plan.duration : player.duration;
  video = { player, whole, reach: growing ? Math.min(source.edge ?? 0, whole) : whole, damage: job.damage, chapters: job.chapters };
  markDamage(field(bar, "damage"), job.damage, whole);
  tickChapters(field(bar, "ticks"), job.chapters, whole);
  showChapters(job.chapters, video.reach, player.currentTime, goTo);
  if (job.storyboard_url && !storyboard) {
    storyboard = new Storyboard(job.storyboard_url);
    if (bar.hasAttribute("data-looking")) load();
  }
  fill("encoded-part", growing ? job.rungs[0].progress : 0);
  fill("playable-part", growing ? video.reach / whole : 0);
  fill("played-part", player.currentTime / whole);
  const words = { part: duration(video.reach), whole: duration(whole) };
  setText(field(bar, "playable-words"), growing ? text("player.playable", words) : "");
  render();
}

function fill(name, fraction) {
  field(bar, name).style.inlineSize = `${Math.min(1, fraction) * 100}%`;
}

function render() {
  if (!video) return;
  const now = chosen ?? video.player.currentTime;
  slider.max = video.whole;
  slider.value = now;
  const at = text("player.at", { at: clock(now), whole: clock(video.whole) });
  const title = chapterName(video.chapters, now);
  const place = title ? text("player.in_chapter", { place: at, title }) : at;
  const damage = damageAt(video.damage, now, 0);
  slider.setAttribute("aria-valuetext", damage ? text("damage.here", { place, damage }) : place);
  const looking = pointed !== null || slider.matches(":focus-visible");
  bar.toggleAttribute("data-looking", looking);
  show(preview, looking);
  if (looking) showPreview(pointed === null ? now : pointedSeconds());
}

function showPreview(seconds) {
  const picture = field(preview, "preview-picture");
  show(picture, storyboard?.paint(picture, seconds) ?? false);
  setText(field(preview, "preview-time"), clock(seconds));
  const chapter = chapterName(video.chapters, seconds);
  setText(field(preview, "preview-chapter"), chapter);
  show(field(preview, "preview-chapter"), Boolean(chapter));
  const damage = damageAt(video.damage, seconds, (NEAR / bar.clientWidth) * video.whole);
  setText(field(preview, "preview-damage"), damage);
  show(field(preview, "preview-damage"), Boolean(damage));
  const fraction = seconds / video.whole;
  const room = bar.clientWidth - preview.offsetWidth;
  preview.style.insetInlineStart = `${clamp(fraction * bar.clientWidth - preview.offsetWidth / 2, room)}px`;
  bar.style.setProperty("--pointed", `${fraction * 100}%`);
}

function clamp(value, most) {
  return Math.max(0, Math.min(value, most));
}

function goTo(seconds) {
  video.player.currentTime = clamp(seconds, video.reach);
  chosen = null;
  render();
}

function choose(seconds) {
  chosen = clamp(seconds, video.reach);
  render();
}

function point(event) {
  const { left, width } = bar.getBoundingClientRect();
  pointed = event && (event.clientX - left) / width;
  render();
}

function pointedSeconds() {
  return clamp(pointed * video.whole, video.reach);
}

function load() {
  storyboard?.load().then(render);
}

bar.addEventListener("pointerenter", load);
bar.addEventListener("pointermove", point);
for (const event of ["pointerleave", "pointercancel"]) bar.addEventListener(event, () => point(null));

bar.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  event.preventDefault(); // it would select text, and take the focus away
  bar.setPointerCapture(event.pointerId);
  point(event);
});

bar.addEventListener("pointerup", (event) => {
  if (!bar.hasPointerCapture(event.pointerId)) return;
  point(event);
  goTo(pointedSeconds());
});

function placeOf(key) {
  const { whole } = video;
  const now = chosen ?? video.player.currentTime;
  const arrow = whole < 60 ? 1 : ARROW;
  return {
    ArrowLeft: now - arrow,
    ArrowDown: now - arrow,
    ArrowRight: now + arrow,
    ArrowUp: now + arrow,
    PageDown: now - whole / PAGES,
    PageUp: now + whole / PAGES,
    Home: 0,
    End: whole,
  }[key];
}

slider.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const place = placeOf(event.key);
  if (place !== undefined) choose(place);
  else if (event.key === "Enter") goTo(Number(slider.value));
  else if (event.key === "Escape") dropChoice();
  else return;
  event.preventDefault();
});

function dropChoice() {
  chosen = null;
  render();
}

slider.addEventListener("focus", () => {
  load();
  render();
});
slider.addEventListener("blur", dropChoice);
// Assistive technology moves the slider by itself, without keys.
slider.addEventListener("change", () => goTo(Number(slider.value)));
