// Lists of jobs: rows are made from one template and refilled in place, so focus and scroll position stay.

import { copyOf, field, setProgress, setState, setText, show } from "../shared/dom.js";
import { wordTime } from "../shared/format.js";

const BARRED = ["uploading", "encoding", "packaging"];
const COUNTED = ["uploading", "encoding"];

/** Write a job into its row; the server has worded it in `job.words`. */
export function fillRow(row, job) {
  row.dataset.job = job.id;
  row.querySelector("a").href = job.links.page;
  setText(field(row, "title"), job.title);
  const { words } = job;
  setText(field(row, "size"), words.size);
  setState(field(row, "state"), job.state, words.state);
  setText(field(row, "headline"), words.headline);
  setText(field(row, "percent"), COUNTED.includes(job.state) ? words.percent : "");
  const bar = field(row, "bar");
  setProgress(bar, words.fraction, words.percent);
  show(bar, BARRED.includes(job.state));
  const created = field(row, "created");
  if (created.dateTime !== job.created_at) {
    created.dateTime = job.created_at;
    wordTime(created);
  }
  fillPoster(field(row, "poster"), job.poster_url);
}

function fillPoster(image, url) {
  show(image, Boolean(url));
  if (url && image.getAttribute("src") !== url) image.src = url;
  if (!url) image.removeAttribute("src");
}

/** A list of jobs, newest first, kept by id. */
export class JobRows {
  constructor(list, { empty, oldestFirst = false }) {
    this.list = list;
    this.empty = empty;
    this.oldestFirst = oldestFirst;
  }

  get ids() {
    return [...this.list.children].map((row) => row.dataset.job);
  }

  row(id) {
    return [...this.list.children].find((row) => row.dataset.job === id) ?? null;
  }

  /** Show the job: refill its row, or add one where its time wants it. */
  put(job) {
    let row = this.row(job.id);
    if (!row) {
      row = copyOf("job-row");
      fillRow(row, job);
      this.list.insertBefore(row, this.#after(job));
    } else {
      fillRow(row, job);
    }
    show(this.empty, false);
  }

  #after(job) {
    const created = new Date(job.created_at);
    return (
      [...this.list.children].find((row) => {
        const other = new Date(field(row, "created").dateTime);
        return this.oldestFirst ? other > created : other < created;
      }) ?? null
    );
  }

  remove(id) {
    this.row(id)?.remove();
    show(this.empty, this.list.children.length === 0);
  }
}
