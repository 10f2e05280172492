// One file, and what happens on its way to the server.

import { Problem } from "../shared/api.js";
import { duration, percent, size as sizeWords } from "../shared/format.js";
import { plural, text } from "../shared/texts.js";
import { countDown, pauseBefore, pieceAfter, WHOLE } from "./retry.js";
import { progressWords, RowView } from "./row-view.js";
import { speedometer } from "./speed.js";
import { forget } from "./stored.js";
import { elsewhere, lost, take, tell } from "./tabs.js";
import { Stopped, Transfer } from "./transfer.js";

const LOCKED = 423; // somebody else goes on with the upload
const ENDED_THERE = 410; // somebody cancelled it, or its job
const BUSY = ["sending", "retrying", "ending"];
const ENDED = ["failed", "cancelled", "sent"];
const HELD = ["waiting", "sending", "retrying", "paused"]; // no other tab may send the upload meanwhile

let piece = WHOLE; // what one request brings: learned by one file for all of the page

/**
 * A file that was chosen, or an upload of an earlier visit whose file is not here (`file` is null).
 *
 * `page` has `endpoint`, `limit`, `find(row)` for an upload of its file that was begun before, and is told by `onChange(row, words)`,
 * `onProgress(row)`, `onGo(row)`, `onChoose(row)`, `onRemove(row)`, `onSent(row)`.
 */
export class FileRow {
  constructor({ file = null, place = null, name, size, offset = 0 }, page) {
    this.file = file;
    this.size = size;
    this.page = page;
    this.asked = false; // whether the visitor wants it sent now
    this.title = "";
    this.loudness = ""; // to which the sound is brought; nothing leaves it as it is
    this.speed = null;
    this.sends = false; // whether any of it was sent from here
    this.turn = ""; // the place in the queue that a refusal keeps for the file
    this.hurry = new EventTarget();
    this.stopping = new AbortController();
    this.transfer = new Transfer(file, { endpoint: page.endpoint, place, offset });
    this.view = new RowView(name, {
      pause: () => (this.state === "paused" ? this.resume() : this.pause()),
      retry: () => this.#again(),
      choose: () => page.onChoose(this),
      cancel: () => this.cancel(),
    });
    this.view.link(this.transfer.job);
    const refusal = refused(size, page.limit);
    if (!file) this.show("unfinished", text("file.unfinished", this.#values));
    else if (refusal) this.show("failed", refusal, { again: false });
    else this.show("waiting", `${sizeWords(size)} · ${text("file.waiting")}`);
  }

  get #values() {
    return { percent: percent(this.part), size: sizeWords(this.size) };
  }

  get part() {
    return this.size ? Math.min(1, this.transfer.sent / this.size) : 0;
  }

  get place() {
    return this.transfer.place;
  }

  get busy() {
    return BUSY.includes(this.state);
  }

  get ended() {
    return ENDED.includes(this.state);
  }

  get holds() {
    return this.place !== null && HELD.includes(this.state);
  }

  /** Take the file of an upload that was begun before. */
  takeFile(file) {
    this.file = this.transfer.file = file;
    this.#go();
  }

  /** Send the file, as often as it takes; resolves once it is sent, given up, stopped or left to another tab. Never throws. */
  async deliver() {
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    for (let failures = 0; ; ) {
      const before = this.transfer.offset;
      try {
        const job = await this.#try(signal);
        return job && this.sent(job);
      } catch (error) {
        if (error instanceof Stopped) return undefined;
        if (!(error instanceof Problem)) throw error;
        if (error.status === LOCKED) return this.yield();
        if (error.status === ENDED_THERE && (await this.#endedThere())) return undefined;
        if (error.status === ENDED_THERE) continue;
        this.turn = error.turn || this.turn;
        failures = this.transfer.offset > before ? 1 : failures + 1;
        const smaller = pieceAfter(error, { failures, piece, unconfirmed: this.transfer.unconfirmed });
        const refusedPiece = smaller < piece && error.status !== 0;
        piece = smaller;
        if (!refusedPiece && !(await this.#wait(error, failures, signal))) return undefined;
      }
    }
  }

  /** The upload was cancelled on another page: true if that ends the row. One of an earlier visit is begun anew. */
  async #endedThere() {
    const { place, sends } = this;
    await forget(place);
    tell("ended", place);
    if (sends) this.cancelled(text("file.cancelled_there"));
    else this.#begin();
    return sends;
  }

  /** Be without an upload. */
  #begin() {
    this.transfer.place = null;
    this.transfer.offset = this.transfer.sent = 0;
    this.sends = false;
    this.view.link(null);
  }

  /** One attempt; resolves with the job's id, or with null when another tab sends the file. */
  async #try(signal) {
    this.show("sending", text("file.sending", this.#values));
    if (!this.place) await this.page.find(this);
    if (signal.aborted) throw new Stopped();
    if (this.place && elsewhere(this.place) !== null) return this.yield();
    const measure = speedometer();
    return this.transfer.attempt({
      title: this.title,
      loudness: this.loudness,
      turn: this.turn,
      chunkSize: piece,
      onProgress: (sent) => this.#progress(sent, measure(sent)),
    });
  }

  #progress(sent, speed) {
    this.speed = speed;
    this.sends = true;
    if (!this.view.job) this.view.link(this.transfer.job);
    this.view.bar(this.part);
    const words = text(sent < this.size ? "file.sending" : "file.storing", this.#values);
    this.view.say(progressWords(words, { sent, size: this.size, speed }));
    this.page.onProgress(this);
  }

  /** Wait as the problem asks; false when the file is not to be tried again by itself. */
  async #wait(problem, failures, signal) {
    const seconds = pauseBefore(problem, failures);
    if (seconds === null) {
      this.show("failed", problem.message);
      return false;
    }
    const reason = problem.message;
    const hurry = () => this.hurry.dispatchEvent(new Event("hurry"));
    const onSecond = (left) => {
      const words = text("file.retry_in", { reason, duration: duration(left) });
      if (this.state === "retrying") this.view.say(words);
      else this.show("retrying", words);
    };
    if (problem.status === 0) addEventListener("online", hurry);
    try {
      await countDown(seconds, { signal, hurry: this.hurry, onSecond });
      return true;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      return false;
    } finally {
      removeEventListener("online", hurry);
    }
  }

  #stop() {
    this.stopping.abort(new Stopped());
    this.transfer.stop();
  }

  pause() {
    this.#stop();
    this.show("paused", text("file.paused", this.#values));
  }

  resume() {
    this.#go();
  }

  #again() {
    if (this.state === "retrying") this.hurry.dispatchEvent(new Event("hurry"));
    else {
      if (this.state === "elsewhere") take(this.place, this.part);
      this.#go();
    }
  }

  #go() {
    this.asked = true;
    this.show("waiting", text("file.waiting"));
    this.page.onGo(this);
  }

  /** Let another tab go on with the upload, and go on here when that one does not. */
  yield() {
    lost(this.place, this.part);
    this.#stop();
    this.show("elsewhere", text("file.elsewhere", this.#values));
    this.followOther();
    return null;
  }

  /** Show what another tab does with the upload. */
  followOther() {
    const part = elsewhere(this.place);
    if (part === null) return this.#go();
    this.view.bar(part);
    this.view.say(text("file.elsewhere", { percent: percent(part) }));
    return undefined;
  }

  /** End the upload, or take the row off the list where there is none. */
  async cancel() {
    const { place } = this;
    if (this.state === "ending") return;
    if (!this.#ends) {
      this.page.onRemove(this);
      if (this.state === "failed") this.transfer.end().catch(() => {}); // the server removes it in time
      return;
    }
    this.#stop();
    this.show("ending", text("file.ending"));
    try {
      const job = await this.transfer.end();
      if (job) this.sent(job);
      else this.cancelled(text("file.cancelled"));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.cancelled(text("file.cancelled_alone"));
    }
    if (place) tell("ended", place);
  }

  get #ends() {
    return this.busy || ["paused", "unfinished"].includes(this.state) || (this.state === "waiting" && this.place !== null);
  }

  /** The upload was cancelled. */
  cancelled(message = text("file.cancelled")) {
    this.#begin();
    this.show("cancelled", message);
  }

  /** The upload has become a job. */
  sent(job) {
    if (this.place && this.state !== "elsewhere") tell("sent", this.place, { job });
    this.transfer.sent = this.size;
    this.job = job;
    this.view.link(job, { sent: true });
    this.show("sent", plural("files.sent", 1));
    this.page.onSent(this);
  }

  /** Show a state and its message. */
  show(state, message, { again = this.file !== null } = {}) {
    this.state = state;
    if (state !== "sending") this.speed = null;
    this.view.bar(this.part);
    this.view.show(state, message, { ends: this.#ends, again });
    this.page.onChange(this, message);
  }
}

function refused(size, limit) {
  if (size === 0) return text("file.empty");
  if (size > limit) return text("file.too_large", { size: sizeWords(size), limit: sizeWords(limit) });
  return null;
}
