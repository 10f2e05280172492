// The page of one job: what the server painted, kept true.

import { ask } from "../shared/api.js";
import { initActions, showActions } from "../live/actions.js";
import { copyOf, field, setIcon, setProgress, setState, setText, show } from "../shared/dom.js";
import { keepTimes } from "../shared/format.js";
import { showMode } from "../live/live-note.js";
import { loudnessLines } from "../live/loudness.js";
import { follow } from "../live/live.js";
import * as notify from "../live/notify.js";
import { offer, withdraw } from "../player/player.js";
import { speedWords } from "../live/sending.js";
import { initSubtitles, showSubtitles } from "../live/subtitles.js";
import { finished, uploading } from "../shared/states.js";
import { language, pageData } from "../shared/texts.js";

const { job: first, icons } = pageData();
let stop = null;
let announced = "";

function render(job) {
  show(document.getElementById("uploading"), uploading(job));
  show(document.getElementById("uploaded"), !finished(job) && !uploading(job));
  setText(field(document, "title"), job.title);
  setText(field(document, "size"), job.words.size);
  setState(field(document, "state"), job.state, job.words.state);
  renderSteps(job);
  renderFailure(job.error, job.words.failure);
  renderProgress(job);
  renderPicture(job);
  renderPlan(job);
  showSubtitles(job);
  showActions(job, Boolean(job.words.failure?.final) || (job.state === "cancelled" && !job.links.retry));
  announce(job);
  notify.update(job, icons);
}

/** Say aloud what is new, at each step and each quarter: every per cent would drown everything else. */
function announce(job) {
  const key = `${job.state} ${Math.floor(job.words.fraction * 4)}`;
  if (announced && announced !== key) {
    setText(document.getElementById("announcement"), job.words.announcement);
  }
  announced = key;
}

function renderSteps(job) {
  for (const item of document.querySelectorAll("[data-step]")) {
    const { step } = item.dataset;
    const kind = job.words.steps[step];
    const now = kind.startsWith("now");
    item.className = kind;
    item.toggleAttribute("aria-current", now);
    if (now) item.setAttribute("aria-current", "step");
    setIcon(item.querySelector("svg"), kind === "done" ? "check" : now ? job.state : step);
  }
}

function renderFailure(error, words) {
  const box = document.getElementById("failure");
  if (error) {
    setText(field(box, "reason"), words.reason);
    setText(field(box, "advice"), words.advice);
    setText(field(box, "detail"), error.detail);
    show(field(box, "details"), Boolean(error.detail));
  }
  show(box, Boolean(error));
}

function renderProgress(job) {
  const { words } = job;
  setText(field(document, "percent"), words.percent);
  setText(field(document, "headline"), words.headline);
  const speed = speedWords(job.upload);
  setText(field(document, "speed"), speed);
  show(field(document, "speed"), Boolean(speed));
  const ready = job.state === "ready";
  setText(field(document, "ladder-heading"), words.heading);
  const bar = field(document, "bar");
  bar.className = job.state;
  setProgress(bar, words.fraction, words.percent);
  show(bar, !ready);
  show(field(document, "percent"), !ready);
  const list = document.getElementById("rungs");
  const names = job.rungs.map((rung) => rung.name).join(" ");
  if (list.dataset.names !== names) {
    list.replaceChildren(...job.rungs.map(() => copyOf("rung-row")));
    list.dataset.names = names;
  }
  job.rungs.forEach((rung, index) => renderRung(list.children[index], rung, words.rungs[index]));
}

function renderRung(row, rung, words) {
  setText(field(row, "name"), rung.name);
  setText(field(row, "pixels"), words.pixels);
  const bar = field(row, "bar");
  bar.className = rung.state;
  bar.setAttribute("aria-label", words.label);
  setProgress(bar, rung.progress, words.percent);
  setText(field(row, "percent"), words.percent);
  show(bar, !rung.url);
  show(field(row, "percent"), !rung.url);
  const download = field(row, "download");
  show(download, Boolean(rung.url));
  if (rung.url) {
    download.href = `${rung.url}?download`; // the server gives it a good name
    download.setAttribute("aria-label", words.download);
    setText(field(row, "size"), words.size);
  }
}

function renderPicture(job) {
  const poster = field(document, "poster");
  if (job.poster_url && poster.getAttribute("src") !== job.poster_url) poster.src = job.poster_url;
  show(poster, Boolean(job.poster_url));
  setText(field(document, "picture-line"), job.words.picture);
  offer(job);
}

function renderPlan(job) {
  setText(field(document, "plan"), job.words.plan);
  show(document.getElementById("plan"), Boolean(job.plan));
  renderLines(field(document, "loudness"), loudnessLines(job.audio, job.loudness));
  renderLines(field(document, "warnings"), job.words.warnings);
  show(document.getElementById("warnings"), job.warnings.length > 0);
}

function renderLines(list, lines) {
  if (list.childElementCount !== lines.length) list.replaceChildren(...lines.map(bullet));
  show(list, lines.length > 0);
}

function bullet(words) {
  const item = document.createElement("li");
  item.textContent = words;
  return item;
}

/** Show the job as it is now (null: it is gone), and follow it while something can happen to it by itself. */
function present(job) {
  if (!job) {
    gone();
    return;
  }
  render(job);
  if (finished(job)) unfollow();
  else stop ??= follow({ url: `${job.links.events}?language=${language}`, onEvent: (_type, _id, now) => present(now), poll, onMode: showMode });
}

function unfollow() {
  stop?.();
  stop = null;
  showMode("live");
}

async function poll() {
  try {
    present(await ask(`${first.links.page}/words`));
  } catch (problem) {
    if (problem.code !== "job_not_found") throw problem;
    gone();
  }
}

function gone() {
  unfollow();
  withdraw();
  showSubtitles(null);
  show(document.getElementById("gone"), true);
  show(document.getElementById("actions"), false);
  show(document.getElementById("uploading"), false);
  show(document.getElementById("uploaded"), false);
}

notify.init(first, icons);
initActions(first, poll);
initSubtitles(first, poll);
present(first);
keepTimes(document);
