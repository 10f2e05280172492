// The choice of the rung under the player.

import { copyOf, setText, show } from "../shared/dom.js";
import { text } from "../shared/texts.js";

const choices = document.getElementById("switch");
let shownFor = "";

/**
 * Show what the source can be played as, nothing for null or where there is no choice.
 *
 * A source has `names`, `chosen` (null: it chooses by itself), `playing` (the rung in view, null if unknown),
 * `automatic` (whether it can choose by itself) and `choose(name)`.
 */
export function showSwitch(source) {
  const names = source?.names ?? [];
  const offered = source?.automatic ? [null, ...names] : names;
  show(choices, names.length > 1);
  const key = JSON.stringify(offered);
  if (key !== shownFor) {
    shownFor = key;
    choices.querySelectorAll("label").forEach((label) => label.remove());
    choices.append(...offered.map(choiceOf));
  }
  for (const input of choices.querySelectorAll("input")) {
    const name = input.value || null;
    input.onchange = () => source.choose(name);
    input.checked = name === source.chosen;
    setText(input.nextElementSibling, name ?? automatic(source));
  }
}

function choiceOf(name) {
  const label = copyOf("rung-choice");
  label.querySelector("input").value = name ?? "";
  return label;
}

function automatic(source) {
  const { chosen, playing: name } = source;
  return chosen === null && name ? text("player.auto_now", { name }) : text("player.auto");
}
