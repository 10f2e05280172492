// The upload form with scripts: several files, two at a time, with progress, patience and ways to stop and go on.

import { field, setText, show } from "../shared/dom.js";
import { plural, text } from "../shared/texts.js";
import { acceptDrops } from "./drops.js";
import { FileRow } from "./file-row.js";
import { forget, offsetOf, printOf, stored } from "./stored.js";
import { elsewhere, initTabs, tell } from "./tabs.js";
import { initTotal, showTotal } from "./total.js";

// The line is shared anyway. Two hide the gap between two files, the first job is ready soon, and four of the six
// connections of HTTP/1.1 stay for the page.
const AT_ONCE = 2;
const BEAT_MS = 2000; // between two words to the other tabs
const HELLO_MS = 300; // until the other tabs have told what they send

const form = document.getElementById("upload");
const input = document.getElementById("file");
const list = document.getElementById("files");
const title = document.getElementById("title");
const loudness = document.getElementById("loudness");
const titleField = document.getElementById("title-field");
const send = document.getElementById("send");
const allSent = document.getElementById("all-sent");
const status = document.getElementById("upload-status");

let rows = [];
let page = null;
let wanted = null; // the row whose file is being chosen
const lanes = new Set();

/** Take over the form; `limit` is the largest upload in bytes, `onSent()` is told of each new job. */
export function initUpload({ limit, onSent }) {
  if (!globalThis.tus) return; // the form works without scripts
  const endpoint = new URL(form.dataset.uploads, location.href).href;
  page = { endpoint, limit, onSent, find, onProgress, onChange, onGo: run, onChoose: choose, onRemove: remove };
  input.multiple = true;
  input.classList.add("quiet");
  setText(field(document, "drop-words"), text("drop.words"));
  setText(field(document, "drop-hint"), `${text("drop.hint")} · ${field(document, "drop-hint").textContent}`);
  input.addEventListener("change", () => {
    addFiles([...input.files]);
    input.value = ""; // so that the same file can be chosen again
  });
  input.addEventListener("cancel", () => (wanted = null));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  acceptDrops(document.getElementById("drop"), addFiles);
  addEventListener("beforeunload", (event) => {
    if (rows.some((row) => row.busy)) event.preventDefault();
  });
  addEventListener("pagehide", () => held().forEach((row) => tell("left", row.place)));
  initTotal(() => rows);
  initTabs({ onHello: beat, onNews });
  setInterval(beat, BEAT_MS);
  setTimeout(listUnfinished, HELLO_MS);
  refresh();
}

async function addFiles(files) {
  const asked = wanted; // by the button of its row
  wanted = null;
  const prints = await Promise.all(files.map((file) => printOf(file, page.endpoint)));
  const goesOn = lanes.size > 0;
  files.forEach((file, index) => {
    const begun = rows.find((row) => ["unfinished", "paused"].includes(row.state) && row.print === prints[index]);
    if (begun) begun.takeFile(file);
    else add({ file, name: file.name, size: file.size, print: prints[index], asked: goesOn });
  });
  if (asked?.state === "unfinished" && files.length > 0) asked.view.say(text("file.another", { name: asked.view.name }));
  if (files.length > 0) setText(status, plural("files.chosen", chosen().length));
  refresh();
  if (goesOn) run();
  else if (lanes.size === 0 && rows.some(isNew)) send.focus({ preventScroll: true });
}

function add({ print, asked = false, ...about }) {
  const row = new FileRow(about, page);
  row.print = print;
  row.asked = asked;
  rows.push(row);
  list.append(row.view.element);
  return row;
}

function choose(row) {
  wanted = row;
  input.click();
}

function drop(row) {
  rows = rows.filter((other) => other !== row);
  row.view.remove();
  refresh();
}

function remove(row) {
  drop(row);
  input.focus({ preventScroll: true });
}

function chosen() {
  return rows.filter((row) => row.file);
}

function isNew(row) {
  return row.state === "waiting" && !row.asked;
}

function submit() {
  rows.filter(isNew).forEach((row) => (row.asked = true));
  run();
}

function run() {
  for (const row of rows.filter((other) => other.asked && other.state === "waiting")) {
    if (lanes.size >= AT_ONCE) break;
    if (!lanes.has(row)) lane(row);
  }
  refresh();
}

async function lane(row) {
  lanes.add(row);
  if (chosen().length === 1) row.title = title.value;
  row.loudness = loudness.value;
  try {
    await row.deliver();
  } finally {
    lanes.delete(row);
  }
  run();
  if (lanes.size === 0) arrive();
}

/** After a single file go to its job; after several, say so and stay. */
function arrive() {
  const own = chosen();
  const sent = own.filter((row) => row.state === "sent");
  if (sent.length === 0 || own.some((row) => !row.ended)) return;
  if (own.length === 1) {
    location.assign(`/jobs/${sent[0].job}`);
    return;
  }
  setText(field(allSent, "all-sent-words"), plural("files.sent", sent.length));
  show(allSent, true);
}

function refresh() {
  const own = chosen();
  show(list, rows.length > 0);
  show(titleField, own.length <= 1 && own.every((row) => !row.asked || row.ended) && lanes.size === 0);
  input.required = !rows.some(isNew);
  send.disabled = lanes.size > 0;
  showTotal(rows);
}

function onProgress() {
  showTotal(rows);
}

function onChange(row, words) {
  if (!rows.includes(row)) return;
  setText(status, `${row.view.name}: ${words}`);
  refresh();
  if (row.ended && lanes.size === 0) arrive();
}

// Uploads that were begun before, and other tabs

/** Have the row go on with an upload of its file that was begun before, unless another row does. */
async function find(row) {
  const uploads = await stored();
  row.transfer.place = uploads.find(({ print, place }) => print === row.print && !claimed(place))?.place ?? null;
}

function claimed(place) {
  return rows.some((row) => row.place === place && row.state !== "unfinished");
}

async function listUnfinished() {
  for (const upload of await stored()) {
    if (claimed(upload.place) || elsewhere(upload.place) !== null) continue;
    const offset = await offsetOf(upload.place);
    if (offset === null) await forget(upload.place);
    else if (!claimed(upload.place)) add({ ...upload, offset });
  }
  refresh();
}

function held() {
  return rows.filter((row) => row.holds);
}

function beat() {
  held().forEach((row) => tell("holds", row.place, { part: row.part }));
  rows.filter((row) => row.state === "elsewhere").forEach((row) => row.followOther());
}

function onNews({ kind, place, job }) {
  const row = rows.find((other) => other.place === place);
  if (row?.state === "unfinished" && kind !== "left") return drop(row);
  if (kind === "takes" && row?.holds) return row.yield();
  if (row?.state !== "elsewhere") return undefined;
  if (kind === "ended") return row.cancelled();
  return kind === "sent" ? row.sent(job) : row.followOther();
}
