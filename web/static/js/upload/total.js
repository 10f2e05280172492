// One line for all files: how many are sent, how fast, how long it still takes; a button that stops all of them.

import { field, setIcon, setProgress, setText, show } from "../shared/dom.js";
import { number, percent } from "../shared/format.js";
import { text } from "../shared/texts.js";
import { progressWords } from "./row-view.js";

const ON_THE_WAY = ["waiting", "sending", "retrying", "paused"];

const line = document.getElementById("total");
const button = field(line, "pause-all");

/** The line for the rows that `rows()` returns. */
export function initTotal(rows) {
  button.addEventListener("click", () => {
    const moving = rows().filter((row) => row.asked && canStop(row));
    if (moving.length > 0) moving.forEach((row) => row.pause());
    else rows().forEach((row) => row.state === "paused" && row.resume());
  });
}

function canStop(row) {
  return ON_THE_WAY.includes(row.state) && row.state !== "paused";
}

/** Show how far all of them are; a single file needs no such line. */
export function showTotal(rows) {
  const asked = rows.filter((row) => row.asked && (row.state === "sent" || ON_THE_WAY.includes(row.state)));
  const under = asked.filter((row) => row.state !== "sent");
  show(line, asked.length > 1 && under.length > 0);
  if (line.hidden) return;
  const sum = (of) => asked.reduce((whole, row) => whole + of(row), 0);
  const [size, sent, speed] = [sum((row) => row.size), sum((row) => row.part * row.size), sum((row) => row.speed ?? 0)];
  const words = text("total.sent", { n: number(asked.length - under.length), whole: number(asked.length), percent: percent(sent / size) });
  setText(field(line, "total-words"), progressWords(words, { sent, size, speed }));
  setProgress(field(line, "total-bar"), sent / size, percent(sent / size));
  const moving = under.some(canStop);
  setText(field(line, "pause-all-word"), text(moving ? "word.pause_all" : "word.resume_all"));
  setIcon(button.querySelector("svg"), moving ? "pause" : "play");
}
