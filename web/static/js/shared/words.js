// A job in words while the page lives; web/words/job_words.py says the same for the first paint.

import { about, clock, duration, number } from "./format.js";
import { codecNames, exists, known, language, text } from "./texts.js";

export const STEPS = ["queued", "planning", "encoding", "packaging", "ready"];
const FINISHED = ["ready", "failed", "cancelled"];
const NAMED_PLACES = 5;
const MOMENT = 5;
const HDR_TRANSFERS = ["smpte2084", "arib-std-b67"];

/** Whether nothing more happens to the job by itself. */
export function finished(job) {
  return FINISHED.includes(job.state);
}

/** In one line: what happens to the job now, and when it will be ready. */
export function headline(job) {
  const { state, eta_seconds: eta } = job;
  if (state === "ready" && job.started_at && job.finished_at) {
    return text("done.took", { duration: duration((new Date(job.finished_at) - new Date(job.started_at)) / 1000) });
  }
  if (finished(job)) return text(`done.${state}`);
  if (eta !== null && waits(job)) return waiting(job);
  if (state === "encoding" && eta !== null) {
    return eta < MOMENT ? text("eta.moment") : text("eta.ready_in", { duration: about(eta) });
  }
  return doing(job);
}

/** The line of a job that no encoder has begun with. */
function waiting({ starts_in_seconds: start, eta_seconds: eta, ...job }) {
  const values = { line: doing(job), duration: about(eta) };
  return start === null || start < MOMENT ? text("line.ready_in", values) : text("line.starts_in", { ...values, start: about(start) });
}

function doing(job) {
  if (waits(job)) return place(job.queue_position);
  return text(`doing.${job.state}`);
}

/** Whether the job stands in line: no encoder has begun with it, and it is not being planned. */
function waits(job) {
  return job.state === "queued" || (job.state === "encoding" && job.rungs.every((rung) => rung.state === "waiting"));
}

/** What stands where the video will be. */
export function pictureLine(job) {
  return text(["failed", "cancelled"].includes(job.state) ? "picture.none" : "picture.later");
}

/** The plan in one sentence: the source, its length and sound, and what it becomes. */
export function plan(job) {
  const { source, audio, frame_rate: rate, duration: seconds } = job.plan;
  const traits = [source.interlaced && "plan.interlaced", HDR_TRANSFERS.includes(source.transfer) && "plan.hdr"];
  const described = text("plan.source", {
    size: text("rung.size", source),
    codec: [codecName(source.codec), ...traits.filter(Boolean).map((key) => text(key))].join(" "),
    rate: number(rate, 2),
    duration: duration(seconds),
    sound: sound(audio),
  });
  return text("plan.becomes", { source: described, rungs: job.rungs.map((rung) => rung.name).join(", ") });
}

function sound(audio) {
  if (!audio) return text("plan.no_sound");
  const key = { 1: "plan.mono", 2: "plan.stereo" }[audio.channels] ?? "plan.channels";
  return text(key, { codec: codecName(audio.codec), n: audio.channels });
}

function codecName(id) {
  return codecNames[id] ?? id.toUpperCase();
}

function place(position) {
  if (position === null) return text("line.unknown");
  return position <= NAMED_PLACES ? text(`line.${position}`) : text("line.n", { n: position });
}

/** Why something failed, in one sentence of the page's language; the server's own sentence is English. */
export function reason(error) {
  return language === "en" ? error.message : told(`error.${error.code}`, error);
}

/** A job's warning in the page's language; what counts one thing may have a text of its own. */
export function warned(warning) {
  const key = `warning.${warning.code}`;
  const one = `${key}.one`;
  return told(warning.values.n === 1 && exists(one) ? one : key, warning);
}

/** A text with numbers; the server's own sentence where there is no such text, or not its numbers. */
function told(key, { message, values }) {
  const filled = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value, 1)]));
  if (Object.hasOwn(values, "at")) filled.at_clock = clock(values.at); // a place in the video
  return known(key, filled) ? text(key, filled) : message;
}

/** The step the job is at; for a failed or cancelled one, the step where it ended, as its record shows. */
export function stoppedAt(job) {
  if (STEPS.includes(job.state)) return job.state;
  if (!job.started_at) return "queued";
  if (!job.plan) return "planning";
  return job.rungs.every((rung) => rung.progress >= 1) ? "packaging" : "encoding";
}

/** The classes of one step: done, now, failed, cancelled or none. */
export function stepClass(job, step) {
  const here = STEPS.indexOf(stoppedAt(job));
  const index = STEPS.indexOf(step);
  if (index < here) return "done";
  if (index > here) return "";
  return ["ready", "failed", "cancelled"].includes(job.state) ? `now ${job.state}` : "now";
}
