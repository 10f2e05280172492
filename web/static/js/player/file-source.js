// Playing the finished MP4s, for browsers and moments in which HLS fails.

/** Play the first of the rungs; `onChange` is told when another one is chosen. */
export function playFile(player, rungs, { onChange }) {
  let chosen = rungs[0].name;

  function choose(name) {
    chosen = name;
    const { currentTime, paused, playbackRate } = player;
    const goOn = () => {
      player.currentTime = currentTime;
      player.playbackRate = playbackRate;
      // A browser may refuse to start by itself; the visitor then presses play, at the right place.
      if (!paused) player.play().catch(() => player.pause());
    };
    player.addEventListener("loadedmetadata", goOn, { once: true });
    player.src = rungs.find((rung) => rung.name === name).url;
    onChange();
  }

  if (player.getAttribute("src") !== rungs[0].url) player.src = rungs[0].url;
  return {
    names: rungs.map((rung) => rung.name),
    automatic: false,
    playing: null,
    get chosen() {
      return chosen;
    },
    choose,
    close() {
      player.removeAttribute("src");
      player.load();
    },
  };
}
