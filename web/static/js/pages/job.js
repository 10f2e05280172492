// The page of one job: what the server painted, kept true.

import { ask } from "../shared/api.js";
import { initActions, showActions } from "../live/actions.js";
import { copyOf, field, setIcon, setProgress, setState, setText, show } from "../shared/dom.js";
import { keepTimes, percent, size } from "../shared/format.js";
import { showMode } from "../live/live-note.js";
import { follow } from "../live/live.js";
import * as notify from "../live/notify.js";
import { offer, withdraw } from "../player/player.js";
import { pageData, text } from "../shared/texts.js";
import { finished, headline, pictureLine, plan, reason, stepClass, warned } from "../shared/words.js";

const { job: first, final_codes: finalCodes, icons } = pageData();
let stop = null;
let announced = "";

function render(job) {
  show(document.getElementById("uploaded"), !finished(job));
  setText(field(document, "title"), job.title);
  setState(field(document, "state"), job.state, text(`state.${job.state}`));
  renderSteps(job);
  renderFailure(job.error);
  renderProgress(job);
  renderPicture(job);
  renderPlan(job);
  showActions(job, hopeless(job.error));
  announce(job);
  notify.update(job, icons);
}

/** Whether another try would end the same way. */
function hopeless(error) {
  return error !== null && finalCodes.includes(error.code);
}

/** Say aloud what is new, at each step and each quarter: every per cent would drown everything else. */
function announce(job) {
  const key = `${job.state} ${Math.floor(job.progress * 4)}`;
  if (announced && announced !== key) {
    const words = `${text(`state.${job.state}`)}, ${percent(job.progress)}. ${headline(job)}`;
    setText(document.getElementById("announcement"), words);
  }
  announced = key;
}

function renderSteps(job) {
  for (const item of document.querySelectorAll("[data-step]")) {
    const { step } = item.dataset;
    const kind = stepClass(job, step);
    const now = kind.startsWith("now");
    item.className = kind;
    item.toggleAttribute("aria-current", now);
    if (now) item.setAttribute("aria-current", "step");
    setIcon(item.querySelector("svg"), kind === "done" ? "check" : now ? job.state : step);
  }
}

function renderFailure(error) {
  const box = document.getElementById("failure");
  if (error) {
    setText(field(box, "reason"), reason(error));
    setText(field(box, "advice"), text(hopeless(error) ? "next.media" : "next.attempt"));
    setText(field(box, "detail"), error.detail);
    show(field(box, "details"), Boolean(error.detail));
  }
  show(box, Boolean(error));
}

function renderProgress(job) {
  setText(field(document, "percent"), percent(job.progress));
  setText(field(document, "headline"), headline(job));
  const ready = job.state === "ready";
  setText(field(document, "ladder-heading"), text(ready ? "ladder.downloads" : "ladder.progress"));
  const bar = field(document, "bar");
  bar.className = job.state;
  setProgress(bar, job.progress, percent(job.progress));
  show(bar, !ready);
  show(field(document, "percent"), !ready);
  const list = document.getElementById("rungs");
  const names = job.rungs.map((rung) => rung.name).join(" ");
  if (list.dataset.names !== names) {
    list.replaceChildren(...job.rungs.map(() => copyOf("rung-row")));
    list.dataset.names = names;
  }
  job.rungs.forEach((rung, index) => renderRung(list.children[index], rung));
}

function renderRung(row, rung) {
  setText(field(row, "name"), rung.name);
  setText(field(row, "pixels"), text("rung.size", rung));
  const bar = field(row, "bar");
  bar.className = rung.state;
  bar.setAttribute("aria-label", text("rung.progress", rung));
  setProgress(bar, rung.progress, percent(rung.progress));
  setText(field(row, "percent"), percent(rung.progress));
  show(bar, !rung.url);
  show(field(row, "percent"), !rung.url);
  const download = field(row, "download");
  show(download, Boolean(rung.url));
  if (rung.url) {
    const words = size(rung.size);
    download.href = `${rung.url}?download`; // the server gives it a good name
    download.setAttribute("aria-label", text("rung.download", { name: rung.name, size: words }));
    setText(field(row, "size"), words);
  }
}

function renderPicture(job) {
  const poster = field(document, "poster");
  if (job.poster_url && poster.getAttribute("src") !== job.poster_url) poster.src = job.poster_url;
  show(poster, Boolean(job.poster_url));
  setText(field(document, "picture-line"), pictureLine(job));
  offer(job);
}

function renderPlan(job) {
  if (job.plan) setText(field(document, "plan"), plan(job));
  show(document.getElementById("plan"), Boolean(job.plan));
  const list = field(document, "warnings");
  if (list.childElementCount !== job.warnings.length) {
    list.replaceChildren(...job.warnings.map(warned).map(bullet));
  }
  show(document.getElementById("warnings"), job.warnings.length > 0);
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
  else stop ??= follow({ url: job.links.events, onEvent: (_type, _id, now) => present(now), poll, onMode: showMode });
}

function unfollow() {
  stop?.();
  stop = null;
  showMode("live");
}

async function poll() {
  try {
    present(await ask(first.links.self));
  } catch (problem) {
    if (problem.code !== "job_not_found") throw problem;
    gone();
  }
}

function gone() {
  unfollow();
  withdraw();
  show(document.getElementById("gone"), true);
  show(document.getElementById("actions"), false);
  show(document.getElementById("uploaded"), false);
}

notify.init(first, icons);
initActions(first, poll);
present(first);
keepTimes(document);
