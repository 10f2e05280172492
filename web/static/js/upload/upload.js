// The upload form with scripts: several files one after another, with progress, patience and a way to stop.

import { field, setText, show } from "../shared/dom.js";
import { FileRow } from "./file-row.js";
import { plural, text } from "../shared/texts.js";

const form = document.getElementById("upload");
const input = document.getElementById("file");
const drop = document.getElementById("drop");
const list = document.getElementById("files");
const title = document.getElementById("title");
const titleField = document.getElementById("title-field");
const send = document.getElementById("send");
const allSent = document.getElementById("all-sent");
const status = document.getElementById("upload-status");

let rows = [];
let running = false;

/** Take over the form; `limit` is the largest upload in bytes, `onSent()` is told of each new job. */
export function initUpload({ limit, onSent }) {
  input.multiple = true;
  input.classList.add("quiet");
  setText(field(document, "drop-words"), text("drop.words"));
  setText(field(document, "drop-hint"), `${text("drop.hint")} · ${field(document, "drop-hint").textContent}`);
  const add = (files) => addFiles(files, limit, onSent);
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = ""; // so that the same file can be chosen again
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(onSent);
  });
  acceptDrops(add);
  addEventListener("beforeunload", (event) => {
    if (rows.some((row) => row.busy)) event.preventDefault();
  });
  refresh();
}

function acceptDrops(add) {
  let depth = 0; // dragenter and dragleave come for every element below
  const mark = (change) => {
    depth = change === 0 ? 0 : depth + change;
    drop.classList.toggle("over", depth > 0);
  };
  document.addEventListener("dragenter", () => mark(1));
  document.addEventListener("dragleave", () => mark(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(0);
    const items = [...event.dataTransfer.items].filter((item) => !item.webkitGetAsEntry?.()?.isDirectory);
    add(items.map((item) => item.getAsFile()).filter(Boolean));
  });
}

function addFiles(files, limit, onSent) {
  for (const file of files) {
    const onAgain = (row) => {
      row.show("waiting", text("file.waiting"));
      run(onSent);
    };
    const row = new FileRow(file, { limit, onRemove: remove, onAgain });
    rows.push(row);
    list.append(row.element);
  }
  if (files.length > 0) setText(status, plural("files.chosen", rows.length));
  refresh();
  if (files.length > 0 && !running) send.focus({ preventScroll: true });
}

function remove(row) {
  rows = rows.filter((other) => other !== row);
  row.element.remove();
  refresh();
  input.focus({ preventScroll: true });
}

function refresh() {
  show(list, rows.length > 0);
  show(titleField, rows.length <= 1 && !running);
  input.required = !rows.some((row) => row.waiting);
  send.disabled = running;
}

async function run(onSent) {
  if (running) return;
  running = true;
  const single = rows.length === 1;
  refresh();
  try {
    for (let row; (row = rows.find((other) => other.waiting)); ) {
      await row.deliver(form.action, single ? title.value : "");
      if (row.state === "sent") onSent();
    }
  } finally {
    running = false;
    refresh();
  }
  arrive();
}

/** After a single file go to its job; after several, say so and stay. */
function arrive() {
  const sent = rows.filter((row) => row.state === "sent");
  if (sent.length === 0 || rows.some((row) => !row.ended)) return;
  if (rows.length === 1) {
    location.assign(sent[0].job.links.page);
    return;
  }
  setText(field(allSent, "all-sent-words"), plural("files.sent", sent.length));
  show(allSent, true);
}
