// The queue: its figures, machines and last hour, what is being encoded and what waits, kept up to date.

import { ask } from "../shared/api.js";
import { copyOf, field, setIcon, setText, show } from "../shared/dom.js";
import { keepTimes } from "../shared/format.js";
import { JobRows } from "../live/job-rows.js";
import { showMode } from "../live/live-note.js";
import { follow, throttled } from "../live/live.js";
import { initPlots } from "../live/plots.js";
import { language } from "../shared/texts.js";
import { finished, uploading } from "../shared/states.js";

const REFRESH_MS = 1000; // places in the line change with every job that starts, so all of it is asked again
const STEADY_MS = 5000; // figures move without any job's event: rates, the predicted wait, uploads

const lists = Object.fromEntries(
  ["active", "waiting", "uploading"].map((name) => [
    name,
    new JobRows(document.getElementById(name), { empty: document.getElementById(`no-${name}`), oldestFirst: true }),
  ]),
);

function showJobs(jobs) {
  for (const [name, rows] of Object.entries(lists)) {
    const mine = jobs.filter((job) => listOf(job) === name);
    const ids = new Set(mine.map((job) => job.id));
    rows.ids.filter((id) => !ids.has(id)).forEach((id) => rows.remove(id));
    mine.forEach((job) => rows.put(job));
  }
}

/** Which list a job stands in: it waits until an encoder has begun with it, once its file is here. */
function listOf(job) {
  if (uploading(job)) return "uploading";
  return job.words.waits ? "waiting" : "active";
}

function showFigures(queue) {
  for (const [name, words] of Object.entries(queue.figures)) setText(field(document, `figure-${name}`), words);
  const notice = document.getElementById("admission");
  notice.className = queue.open ? "notice ready" : "notice warning";
  setIcon(notice.querySelector("svg"), queue.open ? "ready" : "warning");
  setText(field(notice, "admission-words"), queue.admission);
}

function showWorkers(workers) {
  const list = document.getElementById("workers");
  list.replaceChildren(...workers.map(workerRow));
  show(document.getElementById("no-workers"), workers.length === 0);
}

function workerRow(worker) {
  const row = copyOf("worker-row");
  setText(field(row, "name"), worker.name);
  setText(field(row, "load"), worker.load);
  field(row, "tasks").replaceChildren(
    ...worker.tasks.map(({ job_id: id, words }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/jobs/${id}`;
      link.textContent = words;
      item.append(link);
      return item;
    }),
  );
  return row;
}

async function refresh() {
  const queue = await ask("/queue/words");
  showFigures(queue);
  showWorkers(queue.workers);
  showJobs(queue.jobs);
}

/** Progress moves one bar; everything else may move the places of all. */
function onEvent(type, _, job) {
  const list = job && !finished(job) ? lists[listOf(job)] : null;
  if (type === "progress" && list?.row(job.id)) list.put(job);
  else soon();
}

const soon = throttled(() => refresh().catch(() => showMode("offline")), REFRESH_MS);
keepTimes(document);
soon();
follow({ url: `/api/events?language=${language}`, onEvent, poll: refresh, onMode: showMode });
setInterval(soon, STEADY_MS);
initPlots();
