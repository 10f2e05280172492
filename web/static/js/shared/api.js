// Talking to the API: JSON in, problem+json turned into one kind of error.

import { text } from "./texts.js";

/** What the server refused, when it may be asked again (seconds, null if it did not say), and the turn it keeps (""). */
export class Problem extends Error {
  constructor(message, { status = 0, code = "", retryAfter = null, turn = "" } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.turn = turn;
  }
}

/** The Problem in an answer; anything that is not problem+json still becomes a sentence. */
export function problemOf(status, body, retryAfter) {
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  const options = { status, retryAfter: Number.isFinite(seconds) ? seconds : null };
  try {
    const problem = JSON.parse(body);
    const { code, detail, title, turn } = problem;
    const message = detail || title;
    if (message) return new Problem(message, { ...options, code, turn });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new Problem(status === 503 ? text("file.busy") : text("file.refused", { status }), options);
}

/** Ask the API, with a `body` (a file, or what is sent as JSON) if any; resolves with JSON (null for none), throws a Problem. */
export async function ask(path, method = "GET", body = undefined) {
  let answer;
  const isFile = body instanceof Blob; // which the browser gives a type
  const headers = { Accept: "application/json", ...(body && !isFile && { "Content-Type": "application/json" }) };
  try {
    answer = await fetch(path, { method, headers, body: isFile ? body : body && JSON.stringify(body) });
  } catch (error) {
    throw new Problem(text("file.offline"), { cause: error });
  }
  const told = await answer.text();
  if (!answer.ok) throw problemOf(answer.status, told, answer.headers.get("Retry-After"));
  return told ? JSON.parse(told) : null;
}
