// How a file on its way looks: its row in the list.

import { copyOf, field, setIcon, setProgress, setText, show } from "../shared/dom.js";
import { duration, percent, rate } from "../shared/format.js";
import { text } from "../shared/texts.js";

const PARTS = ["bar", "pause", "retry", "choose", "open", "cancel"];
const SHOWN = {
  unfinished: ["bar", "choose", "open", "cancel"],
  waiting: ["cancel"],
  sending: ["bar", "pause", "open", "cancel"],
  retrying: ["retry", "pause", "open", "cancel"],
  paused: ["bar", "pause", "open", "cancel"],
  elsewhere: ["bar", "retry", "open", "cancel"],
  ending: ["cancel"],
  failed: ["retry", "cancel"],
  cancelled: ["retry", "cancel"],
  sent: ["open"],
};

/** The row of a file; `on` has what is done at a press of `pause`, `retry`, `choose` and `cancel`. */
export class RowView {
  constructor(name, on) {
    this.name = name;
    this.element = copyOf("file-row");
    this.part = (part) => field(this.element, part);
    setText(this.part("name"), name);
    this.job = null;
    for (const [part, act] of Object.entries(on)) this.part(part).addEventListener("click", act);
  }

  /** Show a state and its message; `ends` tells whether to cancel ends anything, `again` whether the file is here. */
  show(state, message, { ends, again }) {
    this.element.className = `file ${state}`;
    this.element.dataset.state = state;
    setText(this.part("message"), message);
    const focused = this.element.contains(document.activeElement);
    const absent = [!again && "retry", !this.job && "open"];
    for (const part of PARTS) show(this.part(part), SHOWN[state].includes(part) && !absent.includes(part));
    this.#label("cancel", ends ? "cancel" : "remove");
    this.#label("pause", state === "paused" ? "resume" : "pause");
    this.#label("retry", state === "elsewhere" ? "take" : "retry");
    setIcon(this.part("pause").querySelector("svg"), state === "paused" ? "play" : "pause");
    this.part("choose").setAttribute("aria-label", text("file.choose", { name: this.name }));
    // A button that goes away must not take the focus with it.
    if (focused && document.activeElement.hidden) this.focus();
  }

  /** Link the file's job (null: none). As long as it is sent, that opens another tab: this one has to send it. */
  link(job, { sent = false } = {}) {
    const open = this.part("open");
    if (job) open.href = `/jobs/${job}`;
    open.target = sent ? "" : "_blank";
    if (sent) open.removeAttribute("aria-label");
    else open.setAttribute("aria-label", text("file.open", { name: this.name }));
    show(open, Boolean(job) && SHOWN[this.element.dataset.state]?.includes("open"));
    this.job = job;
  }

  #label(part, act) {
    setText(this.part(`${part}-word`), text(`word.${act}`));
    this.part(part).setAttribute("aria-label", text(`file.${act}`, { name: this.name }));
  }

  /** Put the focus on what can be done first. */
  focus() {
    this.element.querySelector(".buttons > :not([hidden])")?.focus({ preventScroll: true });
  }

  /** Say something else about the same state. */
  say(message) {
    setText(this.part("message"), message);
  }

  /** Show which part (0..1) is sent. */
  bar(part) {
    setProgress(this.part("bar"), part, percent(part));
  }

  remove() {
    this.element.remove();
  }
}

/** Words for how far something is: `sent` in per cent, and the speed and the time left where they are known. */
export function progressWords(words, { sent, size, speed }) {
  if (!speed || sent >= size) return words;
  return [words, rate(speed), text("file.left", { duration: duration((size - sent) / speed) })].join(" · ");
}
