// "Tell me when it is done": a browser notification, the page's title and its icon.

import { setText, show } from "../shared/dom.js";
import { text } from "../shared/texts.js";
import { finished } from "../shared/states.js";

const button = document.getElementById("notify");
const words = document.getElementById("notify-words");
let wanted = false;
let lastState = null;

/** Offer the notification where the browser has it; `icons` are the favicons by name. */
export function init(job, icons) {
  lastState = job.state;
  button.addEventListener("click", toggle);
  showTab(job, icons);
  showButton(job);
}

/** Follow the job: the tab shows how far it is; a job that ends while the page is open is announced once. */
export function update(job, icons) {
  showTab(job, icons);
  showButton(job);
  const ended = finished(job) && lastState !== job.state;
  lastState = job.state;
  if (!ended || !wanted) return;
  wanted = false;
  const note = new Notification(job.words.notification, { tag: job.id, icon: job.poster_url ?? icons.ready });
  note.onclick = () => {
    window.focus();
    note.close();
  };
}

async function toggle() {
  if (wanted) {
    wanted = false;
  } else {
    wanted = (await Notification.requestPermission()) === "granted";
    setText(words, text(wanted ? "notify.on" : "notify.blocked"));
  }
  button.setAttribute("aria-pressed", String(wanted));
  show(words, wanted || Notification.permission === "denied");
}

function showButton(job) {
  const possible = "Notification" in window && window.isSecureContext;
  show(button, possible && !finished(job));
  if (finished(job)) show(words, false);
}

function showTab(job, icons) {
  const lead = ["uploading", "encoding"].includes(job.state) ? job.words.percent : job.words.state;
  document.title = `${lead} · ${job.title} · Rungs`;
  const name = { ready: "ready", failed: "failed", cancelled: "idle" }[job.state] ?? "busy";
  const favicon = document.getElementById("favicon");
  if (favicon.getAttribute("href") !== icons[name]) favicon.href = icons[name];
}
