// Sending one file. XMLHttpRequest, because fetch cannot tell how much of a body has been sent.

import { Problem, problemOf } from "../shared/api.js";
import { text } from "../shared/texts.js";

const SMOOTHING = 0.3; // weight of the newest measurement: calm figures that still follow a change within seconds
const MEASURE_MS = 500;

/** The sending was cancelled by the visitor. */
export class Cancelled extends Error {}

/**
 * Send a file as the form would; resolves with the new job, throws a Problem or Cancelled.
 *
 * `turn` is that of the refusal before, "" without one. `onProgress({ loaded, total, rate })` gets bytes and bytes per
 * second (null before it is known).
 */
export function send(action, { file, title, turn }, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const measure = speedometer();
    request.open("POST", action);
    request.setRequestHeader("Accept", "application/json");
    if (turn) request.setRequestHeader("Rungs-Turn", turn);
    request.upload.onprogress = ({ loaded, total }) => onProgress({ loaded, total, rate: measure(loaded) });
    request.onload = () => {
      const job = jobOf(request);
      if (job) resolve(job);
      else reject(problemOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(new Problem(text("file.offline")));
    request.onabort = () => reject(new Cancelled());
    signal.addEventListener("abort", () => request.abort());
    request.send(formOf(file, title));
  });
}

/** The accepted job; null for every other answer, such as a proxy's page that says 200. */
function jobOf(request) {
  if (request.status !== 202) return null;
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null;
  }
}

function formOf(file, title) {
  const form = new FormData();
  form.append("title", title); // before the file: the server reads the form as a stream
  form.append("file", file);
  return form;
}

function speedometer() {
  let last = null;
  let rate = null;
  return (loaded) => {
    const now = performance.now();
    last ??= { now, loaded };
    if (now - last.now >= MEASURE_MS) {
      const present = ((loaded - last.loaded) * 1000) / (now - last.now);
      rate = rate === null ? present : rate + SMOOTHING * (present - rate);
      last = { now, loaded };
    }
    return rate;
  };
}
