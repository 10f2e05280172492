// The last hour as plots, in the page's colours. uPlot is a classic script, loaded before this one.

import { ask } from "../shared/api.js";
import { language, text } from "../shared/texts.js";

const EVERY_MS = 10_000; // as often as samples are taken
const HEIGHT = 180;
const APART_SECONDS = [60, 120, 300, 600, 900, 1800]; // between marks in time: they tell minutes, none of them twice
const dark = matchMedia("(prefers-color-scheme: dark)");

/** What each plot shows: names of the history's columns, each with its colour; `scale` is what they are divided by. */
const PLOTS = {
  jobs: { columns: { waiting: "--notice", running: "--accent" }, scale: 1 },
  wait: { columns: { wait: "--accent" }, scale: 60 },
  flow: { columns: { arrived: "--accent", ended: "--ready", refused: "--failed" }, scale: 1 },
};

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(columns, width) {
  const axis = { stroke: colour("--ink-soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const at = (seconds) => clock.format(new Date(seconds * 1000));
  const line = ([name, stroke]) => ({ label: text(`plot.${name}`), stroke: colour(stroke), width: 2, points: { show: false } });
  return {
    width,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [{ ...axis, incrs: APART_SECONDS, values: (_, marks) => marks.map(at) }, { ...axis, size: 44 }],
    series: [{ label: text("plot.at"), value: (_, seconds) => (seconds ? at(seconds) : "") }, ...Object.entries(columns).map(line)],
  };
}

function dataOf(history, { columns, scale }) {
  return [history.at, ...Object.keys(columns).map((name) => history[name].map((value) => value / scale))];
}

function draw(figure, plot, history) {
  const place = figure.querySelector("[data-field=plot]");
  const made = new globalThis.uPlot(options(plot.columns, place.clientWidth), dataOf(history, plot), place);
  const resized = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: HEIGHT }));
  resized.observe(place);
  return {
    put: (newer) => made.setData(dataOf(newer, plot)),
    end() {
      resized.disconnect();
      made.destroy();
    },
  };
}

/** Show the plots and keep them up to date; they wait for the second sample. */
export function initPlots() {
  const drawn = new Map();

  async function refresh() {
    const history = await ask("/api/queue/history");
    document.getElementById("no-history").hidden = history.at.length > 1;
    if (history.at.length < 2) return;
    for (const [name, plot] of Object.entries(PLOTS)) {
      const figure = document.getElementById(`plot-${name}`);
      figure.hidden = false;
      if (drawn.has(name)) drawn.get(name).put(history);
      else drawn.set(name, draw(figure, plot, history));
    }
  }

  const again = () => refresh().catch(() => {}); // the rest of the page says when the server is away
  dark.addEventListener("change", () => {
    drawn.forEach((plot) => plot.end());
    drawn.clear();
    again();
  });
  setInterval(again, EVERY_MS);
  again();
}
