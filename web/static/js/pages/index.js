// The first page: the upload form, and recent jobs kept up to date.

import { ask } from "../shared/api.js";
import { show } from "../shared/dom.js";
import { keepTimes } from "../shared/format.js";
import { JobRows } from "../live/job-rows.js";
import { showMode } from "../live/live-note.js";
import { follow } from "../live/live.js";
import { language, pageData } from "../shared/texts.js";
import { initUpload } from "../upload/upload.js";

const { jobs: first, cursor: firstCursor, max_upload_bytes: limit } = pageData();
const rows = new JobRows(document.getElementById("jobs"), { empty: document.getElementById("no-jobs") });
const more = document.getElementById("more");
let cursor = firstCursor;

async function poll() {
  const { jobs } = await ask("/rows");
  jobs.forEach((job) => rows.put(job));
}

async function showOlder() {
  more.disabled = true;
  try {
    const page = await ask(`/rows?cursor=${encodeURIComponent(cursor)}`);
    page.jobs.forEach((job) => rows.put(job));
    cursor = page.cursor;
    show(more, cursor !== null);
  } catch {
    showMode("offline");
  } finally {
    more.disabled = false;
  }
}

first.forEach((job) => rows.put(job));
show(more, cursor !== null);
more.addEventListener("click", showOlder);
keepTimes(document);
initUpload({ limit, onSent: () => poll().catch(() => showMode("offline")) });
follow({
  url: `/api/events?language=${language}`,
  onEvent: (_, id, job) => (job ? rows.put(job) : rows.remove(id)),
  poll,
  onMode: showMode,
});
