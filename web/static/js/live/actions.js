// Cancel, try again, delete, and how urgent the job is; deleting asks first.

import { act } from "./acting.js";
import { ask } from "../shared/api.js";
import { field, setText, show } from "../shared/dom.js";
import { text } from "../shared/texts.js";
import { finished } from "../shared/states.js";

const buttons = Object.fromEntries(["cancel", "retry", "delete"].map((id) => [id, document.getElementById(id)]));
const priority = document.getElementById("priority");
const confirmation = document.getElementById("confirm");
const failure = document.getElementById("action-error");

/** Make the buttons work for the job; `changed` brings the page up to date afterwards. */
export function initActions(job, changed) {
  buttons.cancel.addEventListener("click", () => act(buttons.cancel, failure, () => ask(`${job.links.self}/cancel`, "POST"), changed));
  buttons.retry.addEventListener("click", () => act(buttons.retry, failure, () => ask(`${job.links.self}/retry`, "POST"), changed));
  priority.addEventListener("change", () => {
    act(priority, failure, () => ask(`${job.links.self}/priority`, "PUT", { priority: priority.value }), changed);
  });
  buttons.delete.addEventListener("click", () => {
    confirmation.returnValue = "";
    confirmation.showModal();
  });
  confirmation.addEventListener("close", () => {
    if (confirmation.returnValue !== "yes") return;
    act(buttons.delete, failure, () => ask(job.links.self, "DELETE"), () => location.assign("/"));
  });
  show(document.getElementById("actions"), true);
}

/** Show the buttons that make sense for the job; `final` tells that another try would fail the same way, or is none. */
export function showActions(job, final) {
  setText(field(buttons.cancel, "cancel-word"), text(job.state === "uploading" ? "action.cancel_upload" : "action.cancel"));
  show(document.getElementById("another"), final);
  buttons.retry.classList.toggle("main", !final);
  show(buttons.cancel, Boolean(job.links.cancel));
  show(buttons.retry, Boolean(job.links.retry));
  show(buttons.delete, finished(job));
  show(priority.closest("label"), Boolean(job.links.priority));
  if (!priority.disabled) priority.value = job.priority;
}
