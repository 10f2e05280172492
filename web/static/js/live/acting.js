// Doing what a button says: it rests meanwhile, and what went wrong is said beside it.

import { field, setText, show } from "../shared/dom.js";
import { duration } from "../shared/format.js";
import { text } from "../shared/texts.js";

/** Make the request and then bring the page up to date; `failure` is the notice that says why it did not work. */
export async function act(button, failure, request, done) {
  button.disabled = true;
  show(failure, false);
  try {
    await request();
    await done();
  } catch (problem) {
    setText(field(failure, "action-words"), saying(problem));
    show(failure, true);
  } finally {
    button.disabled = false;
  }
}

function saying({ message: reason, retryAfter }) {
  if (!Number.isFinite(retryAfter)) return text("action.failed", { reason });
  return text("action.later", { reason, duration: duration(retryAfter) });
}
