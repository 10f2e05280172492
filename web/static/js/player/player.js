// The player: starts by itself while the video is being encoded, plays on to the end, keeps its place when the rung
// changes. It plays HLS; where that fails, the finished MP4s.

import { show } from "../shared/dom.js";
import { playFile } from "./file-source.js";
import { playHls } from "./hls-source.js";
import { showSwitch } from "./rung-switch.js";
import { showTimeline } from "./timeline.js";
import { firstSound, followControls, showTracks } from "./track-menus.js";

const player = document.getElementById("player");
const CALM = "(prefers-reduced-motion: reduce)";
let source = null;
let job = null;
let opened = "";
let failed = "";

/** Play what there is of the job; does nothing but count on when that is playing already. */
export function offer(present) {
  job = present;
  if (!job.hls_url) failed = ""; // what was encoded early is gone, and there will be another one
  const playlist = job.hls_url !== failed ? job.hls_url : null;
  const files = job.rungs.filter((rung) => rung.url);
  const wanted = playlist ?? files.map((rung) => rung.url).join(" ");
  if (wanted !== opened) {
    withdraw();
    opened = wanted;
    if (wanted) open(playlist, files);
  }
  source?.grown?.();
  showTracks(job, player, source);
  showTimeline(job, player, source);
}

/** Stop playing and hide the player. */
export function withdraw() {
  player.removeEventListener("loadedmetadata", start);
  source?.close();
  source = null;
  opened = "";
  show(player, false);
  showSwitch(null);
  showTracks(job, player, null);
  showTimeline(job, player, null);
}

function open(playlist, files) {
  if (job.poster_url) player.poster = job.poster_url;
  const sound = firstSound(job);
  source = playlist ? playHls(player, playlist, { sound, onChange, onFail }) : playFile(player, files, { onChange });
  show(player, true);
  onChange();
  // Who opens the page of a finished video presses play; who waits for it sees it as soon as there is something.
  if (job.state === "ready") return;
  start();
  // A player that played something else before stops again when it is given its new source.
  player.addEventListener("loadedmetadata", start, { once: true });
}

/** Begin without sound, as browsers allow; one that refuses leaves its play button, and the sound on. */
function start() {
  if (matchMedia(CALM).matches || !player.paused) return;
  const { muted } = player;
  player.muted = true;
  player.play().catch(() => {
    player.muted = muted;
  });
}

function onChange() {
  showSwitch(source);
  showTracks(job, player, source);
  showTimeline(job, player, source);
}

function onFail() {
  failed = opened;
  const { currentTime } = player;
  offer(job);
  if (source) player.addEventListener("loadedmetadata", () => (player.currentTime = currentTime), { once: true });
}

followControls(player);
for (const event of ["timeupdate", "seeked", "progress", "durationchange"]) {
  player.addEventListener(event, () => source && showTimeline(job, player, source));
}
