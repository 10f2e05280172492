// Playing HLS while it grows: with hls.js, or with the browser's own player where there is no MediaSource (iPhones).

import { growingLoader } from "./growing-loader.js";

const HLS_TYPE = "application/vnd.apple.mpegurl";
const PATIENT = { maxNumRetry: 30, retryDelayMs: 1000, maxRetryDelayMs: 5000, shouldRetry: isOutage };
const GONE = [400, 500]; // answers that asking again does not change
const MEGABYTE = 1e6;
const MOST_CHANNELS = 2;

const CONFIG = {
  startPosition: 0, // a growing playlist looks like a broadcast, which one joins at its end
  liveSyncDuration: 0.1, // should the player ever leave what is encoded, it comes back right at the end of it
  enableWorker: false, // fragments are MP4 already, so there is nothing to convert beside the page
  capLevelToPlayerSize: true,
  backBufferLength: 60,
  maxBufferSize: 30 * MEGABYTE,
  // The page has <track> elements of its own: they are there in the MP4s too, and take what is added later.
  subtitleTrackController: undefined,
  subtitleStreamController: undefined,
  timelineController: undefined,
};

/**
 * Play the playlist, at first with the audio track of the label `sound` if there is such a one. `onChange()` is called
 * when rungs or sounds, or those in use, are known; `onFail()` when it cannot be played at all.
 */
export function playHls(player, url, { sound, onChange, onFail }) {
  if (window.MediaSource || window.ManagedMediaSource) return new Library(player, url, { sound, onChange, onFail });
  return playNatively(player, url, onFail);
}

function playNatively(player, url, onFail) {
  const stop = new AbortController();
  player.addEventListener("error", onFail, { signal: stop.signal });
  if (!player.canPlayType(HLS_TYPE)) queueMicrotask(onFail);
  player.src = url;
  return {
    names: [], // such a browser chooses by itself
    captioned: true, // and finds the captions in the playlist
    get edge() {
      const { seekable } = player;
      return seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
    },
    close() {
      stop.abort();
      player.removeAttribute("src");
      player.load();
    },
  };
}

class Library {
  automatic = true;
  chosen = null;
  #hls = null;
  #closed = false;
  #mended = false;
  #grown = null;

  constructor(player, url, { sound, onChange, onFail }) {
    this.player = player;
    this.first = sound;
    this.onChange = onChange;
    this.onFail = onFail;
    this.#open(url);
  }

  async #open(url) {
    try {
      const { default: Hls } = await import("../../vendor/hls.min.mjs");
      if (!this.#closed) this.#play(Hls, url);
    } catch {
      // Not there, or not for this browser: there is still the MP4.
      if (!this.#closed) this.onFail();
    }
  }

  #play(Hls, url) {
    const policy = (name) => ({ [name]: { default: { ...Hls.DefaultConfig[name].default, errorRetry: PATIENT } } });
    const policies = ["manifestLoadPolicy", "playlistLoadPolicy", "fragLoadPolicy"].map(policy);
    const { Loader, grown } = growingLoader(Hls.DefaultConfig.loader);
    this.#grown = grown;
    const audioPreference = this.first && { name: this.first };
    const hls = new Hls(Object.assign({ pLoader: Loader, audioPreference }, CONFIG, ...policies));
    this.#hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.#leaveOutSurround());
    hls.on(Hls.Events.MANIFEST_PARSED, this.onChange);
    hls.on(Hls.Events.LEVEL_SWITCHED, this.onChange);
    hls.on(Hls.Events.LEVEL_UPDATED, this.onChange);
    hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, this.onChange);
    hls.on(Hls.Events.AUDIO_TRACK_SWITCHING, this.onChange);
    hls.on(Hls.Events.ERROR, (_event, error) => error.fatal && this.#mend(error.type === Hls.ErrorTypes.MEDIA_ERROR));
    hls.loadSource(url);
    hls.attachMedia(this.player);
  }

  /** Browsers mix down what their device cannot play; a change of rung that changed the channels too would be heard. */
  #leaveOutSurround() {
    const { levels, allAudioTracks } = this.#hls;
    const isWide = ({ channels }) => Number.parseInt(channels, 10) > MOST_CHANNELS;
    const wide = new Set(allAudioTracks.filter(isWide).map(({ groupId }) => groupId));
    const isSurround = (level) => Boolean(level.audioGroups?.every((group) => wide.has(group)));
    if (levels.every(isSurround)) return;
    levels.filter(isSurround).forEach((level) => this.#hls.removeLevel(this.#hls.levels.indexOf(level)));
  }

  /** A decoder that stumbled is started again once; everything else was tried again often enough. */
  #mend(isMedia) {
    if (isMedia && !this.#mended) {
      this.#mended = true;
      this.#hls.recoverMediaError();
    } else {
      this.onFail();
    }
  }

  /** The rungs, largest first. */
  get names() {
    return (this.#hls?.levels ?? []).map(nameOf).reverse();
  }

  /** The rung in view. */
  get playing() {
    const level = this.#hls?.levels[this.#hls.currentLevel];
    return level ? nameOf(level) : null;
  }

  /** The labels of the audio tracks. */
  get sounds() {
    return (this.#hls?.audioTracks ?? []).map(({ name }) => name);
  }

  /** The label of the one that is heard. */
  get sound() {
    return this.#hls?.audioTracks[this.#hls.audioTrack]?.name ?? null;
  }

  /** Go on with the audio track of this label, from here. */
  chooseSound(label) {
    this.#hls.audioTrack = this.sounds.indexOf(label);
  }

  /** Up to where the playlist reaches, in seconds. */
  get edge() {
    return this.#hls?.latestLevelDetails?.edge ?? 0;
  }

  /** Whether the playlist has not ended yet; undefined before there is one. */
  get growing() {
    return this.#hls?.latestLevelDetails?.live;
  }

  /** Play as this rung from the next fragment on, or (null) as whatever suits line and screen. */
  choose(name) {
    this.chosen = name;
    this.#hls.nextLevel = name === null ? -1 : this.#hls.levels.findIndex((level) => nameOf(level) === name);
    this.onChange();
  }

  /** More may be encoded. */
  grown() {
    this.#grown?.();
  }

  close() {
    this.#closed = true;
    this.#hls?.destroy();
    this.player.removeAttribute("src");
    this.player.load();
  }
}

/** The rung's name, as its playlist's address has it. */
function nameOf(level) {
  return new URL(level.uri).pathname.split("/").at(-2);
}

/** Whether a failed request is worth repeating: the server was away or busy, not of another mind. */
function isOutage({ maxNumRetry }, count, _isTimeout, answer) {
  const status = answer?.code ?? 0;
  return count < maxNumRetry && !(status >= GONE[0] && status < GONE[1]);
}
