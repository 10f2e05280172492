// The chapters of the video: ticks on the rail of the bar, and a list that leads to them.

import { copyOf, field, setText, show } from "../shared/dom.js";
import { clock, number } from "../shared/format.js";
import { text } from "../shared/texts.js";

const MOST_TICKS = 100; // on a phone they stand 4 pixels apart then; more of them would be a bar

const box = document.getElementById("chapters");
const list = field(box, "chapter-list");
let drawn = "";

/** Offer the chapters of a video that can be played up to `reach`, seconds; `go(seconds)` is where one leads. */
export function showChapters(chapters, reach, now, go) {
  const key = JSON.stringify(chapters);
  if (drawn !== key) {
    drawn = key;
    list.replaceChildren(...chapters.map((chapter, index) => row(chapter, index, go)));
    setText(field(box, "chapter-count"), number(chapters.length));
    show(box, chapters.length > 0);
  }
  const here = chapterAt(chapters, now);
  chapters.forEach((chapter, index) => {
    const button = list.children[index].firstElementChild;
    button.disabled = chapter.start > reach;
    button.setAttribute("aria-current", String(chapter === here));
  });
}

function row(chapter, index, go) {
  const item = copyOf("chapter-row");
  setText(field(item, "start"), clock(Math.round(chapter.start))); // it may be off by an encoder's run-in
  setText(field(item, "chapter-title"), nameOf(chapter, index));
  item.firstElementChild.onclick = () => go(chapter.start);
  return item;
}

/** Make `rail` hold a tick where each chapter begins in a video of `whole` seconds. */
export function tickChapters(rail, chapters, whole) {
  const starts = chapters.map(({ start }) => start).filter((start) => start > 0 && start < whole);
  const ticks = starts.length > MOST_TICKS ? [] : starts;
  const key = `${whole} ${ticks}`;
  if (rail.dataset.drawn === key) return;
  rail.dataset.drawn = key;
  rail.replaceChildren(...ticks.map((start) => tick(start / whole)));
}

function tick(fraction) {
  const item = document.createElement("span");
  item.style.insetInlineStart = `${fraction * 100}%`;
  return item;
}

/** What a chapter at this moment is called; "" where there is none. */
export function chapterName(chapters, moment) {
  const chapter = chapterAt(chapters, moment);
  return chapter ? nameOf(chapter, chapters.indexOf(chapter)) : "";
}

function chapterAt(chapters, moment) {
  return chapters.findLast(({ start, end }) => moment >= start && moment < end);
}

function nameOf({ title }, index) {
  return title || text("chapter.number", { n: number(index + 1) });
}
