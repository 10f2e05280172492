// How fast bytes go.

const SMOOTHING = 0.3; // weight of the newest measurement: calm figures that still follow a change within seconds
const MEASURE_MS = 500;

/** A function that is told the bytes so far and returns bytes per second, null before that is known. */
export function speedometer() {
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
