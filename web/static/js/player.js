// The player: choose a rung, keep the position while switching.

import { copyOf, show } from "./dom.js";

const player = document.getElementById("player");
const choices = document.getElementById("switch");
let shownFor = "";

/** Show the rungs that can be played; does nothing when they are the ones already shown. */
export function offer(job) {
  const playable = job.rungs.filter((rung) => rung.url);
  const key = playable.map((rung) => rung.url).join(" ");
  if (key === shownFor) return;
  shownFor = key;
  choices.querySelectorAll("label").forEach((label) => label.remove());
  show(player, playable.length > 0);
  show(choices, playable.length > 1);
  if (playable.length === 0) {
    player.removeAttribute("src");
    player.load();
    return;
  }
  if (job.poster_url) player.poster = job.poster_url;
  playable.forEach((rung, index) => addChoice(rung, index === 0));
  if (player.getAttribute("src") !== playable[0].url) player.src = playable[0].url;
}

function addChoice(rung, checked) {
  const label = copyOf("rung-choice");
  const input = label.querySelector("input");
  input.value = rung.name;
  input.checked = checked;
  label.querySelector("span").textContent = rung.name;
  input.addEventListener("change", () => play(rung.url));
  choices.append(label);
}

function play(url) {
  const { currentTime, paused, playbackRate } = player;
  player.addEventListener(
    "loadedmetadata",
    () => {
      player.currentTime = currentTime;
      player.playbackRate = playbackRate;
      // A browser may refuse to start by itself; the visitor then presses play, at the right place.
      if (!paused) player.play().catch(() => player.pause());
    },
    { once: true },
  );
  player.src = url;
}
