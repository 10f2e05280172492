// The queue in words while the page lives; web/words/queue_words.py says the same for the first paint.

import { about, number, percent } from "./format.js";
import { text } from "./texts.js";
import { reason } from "./words.js";

/** The value of each figure of the page by its name. */
export function figures(queue) {
  const { rates, promises } = queue;
  return {
    waiting: number(queue.waiting),
    active: number(queue.active),
    work: time(queue.waiting_work_seconds + queue.running_work_seconds),
    wait: time(queue.wait_seconds),
    arrivals: perHour(rates.arrivals_per_hour),
    service: perHour(rates.service_per_hour),
    utilisation: rates.utilisation === null ? text("queue.unknown") : percent(rates.utilisation),
    little: little(rates),
    slots: of(queue.busy, queue.slots),
    uploads: of(queue.uploads, queue.max_uploads),
    refused: number(Object.values(queue.refused).reduce((sum, count) => sum + count, 0)),
    promises: promises.ready_kept === null ? text("queue.too_few") : percent(promises.ready_kept),
  };
}

/** Whether uploads are taken, and if not, why and until when. */
export function admission({ open, max_wait_seconds: limit, code, message, values, retry_after: seconds }) {
  if (open) return text("queue.open", { limit: about(limit) });
  const why = reason({ code, message, values });
  if (seconds === null) return text("queue.closed", { reason: why });
  return text("queue.closed_until", { reason: why, duration: about(seconds) });
}

/** What an attempt at the task of this name does to the job of this title. */
export function task(name, title) {
  const [stage, index] = name.split(":");
  return text(`task.${stage}`, { title, n: number(Number(index) + 1) });
}

/** How many of a machine's slots are busy, or why it takes no work; nothing for one without slots. */
export function load({ slots, pause, tasks }) {
  if (pause) return text(`pause.${pause}`);
  const busy = tasks.filter((held) => !/^(plan|package)/.test(held.task)).length;
  return slots ? of(busy, slots) : "";
}

function time(seconds) {
  return seconds < 1 ? text("queue.no_wait") : about(seconds);
}

function of(part, whole) {
  return text("queue.of", { n: number(part), whole: number(whole) });
}

function perHour(rate) {
  return rate === null ? text("queue.unknown") : text("queue.per_hour", { n: number(rate, 1) });
}

function little({ jobs, jobs_by_little: predicted }) {
  if (jobs === null || predicted === null) return text("queue.unknown");
  return text("queue.little", { measured: number(jobs, 1), predicted: number(predicted, 1) });
}
