// One file's way to the server by tus 1.0.0, with tus-js-client, a classic script that is loaded before this one.
// Each attempt begins where the server says that the upload stands.

import { Problem, problemOf } from "../shared/api.js";
import { text } from "../shared/texts.js";
import { sendIndex } from "./index-ahead.js";
import { UNREADABLE } from "./retry.js";
import { watchForStall } from "./stall.js";
import { forget } from "./stored.js";

const GONE = [404, 410];
const EXPIRED = 404;

/** The attempt was stopped: by the visitor, or for another tab. */
export class Stopped extends Error {}

/** An upload. `place` is its address (null before it is created), `offset` what the server has confirmed of it. */
export class Transfer {
  #stop = () => {};
  #live = null; // the attempt under way
  #over = false;
  #indexed = false; // the index was sent ahead, or there is none

  constructor(file, { endpoint, place = null, offset = 0 }) {
    this.file = file;
    this.endpoint = endpoint;
    this.place = place;
    this.offset = offset;
    this.sent = offset;
  }

  /** The id of the upload's job, null before it is created. */
  get job() {
    return this.place && idOf(this.place);
  }

  /** Whether bytes of the last attempt were sent that the server has not confirmed. */
  get unconfirmed() {
    return this.sent > this.offset;
  }

  /**
   * Send what is missing; resolves with the job's id, throws a Problem or Stopped.
   *
   * `turn` is that of the refusal before, "" without one. `onProgress(bytes)` is told how much is sent.
   */
  attempt({ title, loudness, turn, chunkSize, onProgress }) {
    this.#over = false;
    return new Promise((resolve, reject) => {
      let creating = false;
      let begun = false;
      let stopped = false;
      const ahead = new AbortController();
      const watch = watchForStall(this.file.size, () => give(new Problem(text("file.offline"))));
      const settle = (how, value) => {
        watch.end();
        ahead.abort();
        if (!stopped) how(value);
        stopped = true;
        if (this.#live === upload) this.#live = null;
      };
      // A request that creates an upload is let finish: otherwise nobody would know what it created.
      const give = (reason) => {
        settle(reject, reason);
        if (!creating) upload.abort();
      };
      const upload = new globalThis.tus.Upload(this.file, {
        endpoint: this.endpoint,
        chunkSize,
        metadata: { filename: this.file.name, ...(title && { title }), ...(loudness && { loudness }) },
        retryDelays: null, // the row waits, and says so
        removeFingerprintOnSuccess: true,
        onBeforeRequest: (request) => {
          if (stopped) throw new Stopped();
          creating = request.getMethod() === "POST";
          request.setHeader("Accept", "application/json");
          if (creating && turn) request.setHeader("Rungs-Turn", turn);
        },
        onAfterResponse: refuse,
        onUploadUrlAvailable: () => {
          creating = false;
          if (stopped && (this.#over || this.place || this.#live)) discard(upload);
          else this.#isAt(upload.url);
          if (!stopped) this.#sendIndex(ahead.signal);
        },
        onProgress: (sent) => {
          if (stopped) return;
          if (!begun) this.offset = sent;
          begun = true;
          this.sent = sent;
          watch.moved(sent);
          onProgress(sent);
        },
        onChunkComplete: (_, accepted) => (this.offset = accepted),
        onSuccess: ({ lastResponse }) => settle(resolve, lastResponse.getHeader("Rungs-Job") ?? idOf(this.place)),
        onError: (error) => {
          if (!upload.url) this.place = null; // it is gone, and no new one was created
          settle(reject, problemIn(error));
        },
      });
      this.#live = upload;
      this.#stop = () => give(new Stopped());
      this.#prepare(upload).then(() => (stopped ? undefined : upload.start()), give);
    });
  }

  /** Look whether the file can still be read, which a browser otherwise tells like a lost line; find what was begun. */
  async #prepare(upload) {
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      throw new Problem(text("file.unreadable"), { code: UNREADABLE });
    }
    if (this.place) await this.#resume(upload);
  }

  async #resume(upload) {
    const known = await upload.findPreviousUploads();
    upload.resumeFromPreviousUpload(known.find((other) => other.uploadUrl === this.place) ?? { uploadUrl: this.place });
  }

  #isAt(place) {
    if (place !== this.place) this.#indexed = false;
    this.place = place;
  }

  /** Send the file's index beside its media; where that fails the job is ready later. */
  async #sendIndex(signal) {
    if (this.#indexed) return;
    try {
      this.#indexed = await sendIndex(this.file, this.place, signal);
    } catch {
      this.#indexed = false;
    }
  }

  /** Stop the attempt under way; what the server has stays there. */
  stop() {
    this.#stop();
  }

  /** End the upload and have the server remove it; resolves with the job's id if it became one. Throws a Problem. */
  async end() {
    this.stop();
    this.#over = true;
    const { place } = this;
    this.place = null;
    this.offset = this.sent = 0;
    if (!place) return null;
    await forget(place);
    try {
      await globalThis.tus.Upload.terminate(place, { retryDelays: null, onAfterResponse: refuse });
    } catch (error) {
      const problem = problemIn(error);
      if (problem.status === 409) return idOf(place);
      if (!GONE.includes(problem.status)) throw problem;
    }
    return null;
  }
}

/** Throw the Problem of an answer. tus-js-client itself takes care of an upload that expired: it creates a new one. */
function refuse(request, answer) {
  const status = answer.getStatus();
  if (status < 400 || (request.getMethod() === "HEAD" && status === EXPIRED)) return;
  throw problemOf(status, answer.getBody(), answer.getHeader("Retry-After"));
}

/** Why an attempt ended: no answer, or one that is not tus, such as a hotel's login page, means that there is no line. */
function problemIn(error) {
  const reason = error.causingError ?? error;
  if (reason instanceof Problem || reason instanceof Stopped) return reason;
  return new Problem(text("file.offline"));
}

/** Remove an upload that was created for an attempt which was over by then. */
async function discard(upload) {
  upload.abort();
  try {
    await globalThis.tus.Upload.terminate(upload.url, { retryDelays: null });
  } catch {
    return; // the server removes it in time
  }
  await forget(upload.url);
}

/** The upload's id, which is that of the job it becomes. */
function idOf(place) {
  return place.slice(place.lastIndexOf("/") + 1);
}
