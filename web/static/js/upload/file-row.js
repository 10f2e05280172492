// One chosen file: its row on the page and its way to the server.

import { Problem } from "../shared/api.js";
import { copyOf, field, setProgress, setText, show } from "../shared/dom.js";
import { duration, percent, rate, size } from "../shared/format.js";
import { countDown, pauseBefore } from "./retry.js";
import { Cancelled, send } from "./send.js";
import { plural, text } from "../shared/texts.js";

const ENDED = ["failed", "cancelled", "sent"];

/** A chosen file. `onRemove(row)` is called when the visitor takes it off the list, `onAgain(row)` to send it again. */
export class FileRow {
  constructor(file, { limit, onRemove, onAgain }) {
    this.file = file;
    this.job = null;
    this.turn = ""; // the place in the queue that a refusal keeps for the file
    this.element = copyOf("file-row");
    this.hurry = new EventTarget();
    this.stop = new AbortController();
    this.part = (name) => field(this.element, name);
    setText(this.part("name"), file.name);
    this.part("cancel").addEventListener("click", () => (this.busy ? this.stop.abort(new Cancelled()) : onRemove(this)));
    this.part("retry").addEventListener("click", () => {
      if (this.busy) this.hurry.dispatchEvent(new Event("hurry"));
      else onAgain(this);
    });
    const refusal = refused(file, limit);
    this.show(refusal ? "failed" : "waiting", refusal ?? `${size(file.size)} · ${text("file.waiting")}`);
    this.usable = !refusal;
    show(this.part("retry"), false);
  }

  get busy() {
    return ["sending", "pausing"].includes(this.state);
  }

  get waiting() {
    return this.state === "waiting";
  }

  /** Send the file, as often as it takes; resolves when it is sent, given up or cancelled. Never throws. */
  async deliver(action, title) {
    this.stop = new AbortController();
    for (let failures = 0; ; ) {
      try {
        this.job = await this.#try(action, title);
        return this.#sent();
      } catch (error) {
        if (error instanceof Cancelled) return this.show("cancelled", text("file.cancelled"));
        if (!(error instanceof Problem)) throw error;
        this.turn = error.turn || this.turn;
        failures += error.status === 0 ? 1 : 0;
        if (!(await this.#pause(error, failures))) return undefined;
      }
    }
  }

  #try(action, title) {
    this.show("sending", text("file.sending", { percent: percent(0) }));
    const onProgress = (progress) => this.#progress(progress);
    return send(action, { file: this.file, title, turn: this.turn }, { signal: this.stop.signal, onProgress });
  }

  #progress({ loaded, total, rate: speed }) {
    const part = total ? loaded / total : 0;
    setProgress(this.part("bar"), part, percent(part));
    const words = [text("file.sending", { percent: percent(part) })];
    if (loaded >= total) words.splice(0, 1, text("file.storing"));
    else if (speed) words.push(rate(speed), text("file.left", { duration: duration((total - loaded) / speed) }));
    setText(this.part("message"), words.join(" · "));
  }

  /** Wait as the problem asks; false when it is not to be tried again by itself. */
  async #pause(problem, failures) {
    const seconds = pauseBefore(problem, failures);
    if (seconds === null) {
      const words = problem.status === 0 ? text("file.gave_up", { reason: problem.message }) : problem.message;
      this.show("failed", words);
      return false;
    }
    const onSecond = (left) => this.show("pausing", text("file.retry_in", { reason: problem.message, duration: duration(left) }));
    try {
      await countDown(seconds, { signal: this.stop.signal, hurry: this.hurry, onSecond });
      return true;
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      this.show("cancelled", text("file.cancelled"));
      return false;
    }
  }

  #sent() {
    this.show("sent", plural("files.sent", 1));
    this.part("open").href = this.job.links.page;
  }

  /** Show a state and its message. */
  show(state, message) {
    this.state = state;
    this.element.className = `file ${state}`;
    this.element.dataset.state = state;
    setText(this.part("message"), message);
    show(this.part("bar"), state === "sending");
    show(this.part("retry"), ["pausing", "failed", "cancelled"].includes(state));
    show(this.part("open"), state === "sent");
    show(this.part("cancel"), state !== "sent");
    setText(this.part("cancel-word"), text(this.busy ? "word.cancel" : "word.remove"));
    const name = this.file.name;
    this.part("cancel").setAttribute("aria-label", text(this.busy ? "file.cancel" : "file.remove", { name }));
    this.part("retry").setAttribute("aria-label", text("file.retry", { name }));
  }

  get ended() {
    return ENDED.includes(this.state);
  }
}

function refused(file, limit) {
  if (file.size === 0) return text("file.empty");
  if (file.size > limit) return text("file.too_large", { size: size(file.size), limit: size(limit) });
  return null;
}
