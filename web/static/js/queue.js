// The queue: what is being encoded and what waits, kept up to date.

import { ask } from "./api.js";
import { field, setText, show } from "./dom.js";
import { keepTimes, number } from "./format.js";
import { JobRows } from "./job-rows.js";
import { showMode } from "./live-note.js";
import { follow, throttled } from "./live.js";
import { pageData, text } from "./texts.js";
import { finished } from "./words.js";

const REFRESH_MS = 1000; // places in the line change with every job that starts, so all of it is asked again
const STATES = ["queued", "planning", "encoding", "packaging"];

const { shown } = pageData();

const lists = Object.fromEntries(
  ["active", "waiting"].map((name) => [
    name,
    new JobRows(document.getElementById(name), { empty: document.getElementById(`no-${name}`), oldestFirst: true }),
  ]),
);

function showJobs(jobs) {
  for (const [name, rows] of Object.entries(lists)) {
    const mine = jobs.filter((job) => (job.state === "queued") === (name === "waiting"));
    const ids = new Set(mine.map((job) => job.id));
    rows.ids.filter((id) => !ids.has(id)).forEach((id) => rows.remove(id));
    mine.forEach((job) => rows.put(job));
  }
}

function showFigures({ active, waiting, uploads, work_per_second: work }) {
  for (const [name, count] of Object.entries({ active, waiting, uploads })) {
    setText(field(document, name), number(count));
  }
  if (work) setText(field(document, "speed"), text("queue.speed", { n: number(1 / work, 1) }));
  show(field(document, "speed-figure"), Boolean(work));
}

async function refresh() {
  const asked = STATES.map((state) => ask(`/api/jobs?state=${state}&limit=${shown}`));
  const [figures, ...pages] = await Promise.all([ask("/api/queue"), ...asked]);
  showFigures(figures);
  showJobs(pages.flatMap((page) => page.jobs));
}

/** Progress moves one bar; everything else may move the places of all. */
function onEvent(type, _, job) {
  const list = job && !finished(job) ? lists[job.state === "queued" ? "waiting" : "active"] : null;
  if (type === "progress" && list?.row(job.id)) list.put(job);
  else soon();
}

const soon = throttled(() => refresh().catch(() => showMode("offline")), REFRESH_MS);
keepTimes(document);
soon();
follow({ url: "/api/events", onEvent, poll: refresh, onMode: showMode });
