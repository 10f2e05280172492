// Small helpers for filling the server's markup. Titles and file names are hostile data: only textContent is written.

/** The element of a part of the page, marked data-field="name". */
export function field(root, name) {
  return root.querySelector(`[data-field="${name}"]`);
}

/** Write text where it differs, so that live regions speak only when something is new. */
export function setText(element, value) {
  if (element && element.textContent !== value) element.textContent = value;
}

/** Show an element or hide it. */
export function show(element, visible) {
  element.hidden = !visible;
}

/** A copy of the only child of a <template>. */
export function copyOf(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Point an <svg class="icon"> at another symbol of the sprite. */
export function setIcon(svg, name) {
  const use = svg.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
}

/** Show a state: its word, its icon and its colour. */
export function setState(element, state, word) {
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.className = `state ${state}`;
  setIcon(element.querySelector("svg"), state);
  setText(field(element, "word"), word);
}

/** Set a <progress> from 0..1 and say the figure to those who cannot see the bar. */
export function setProgress(bar, fraction, words) {
  bar.value = fraction;
  bar.setAttribute("aria-valuetext", words);
}
