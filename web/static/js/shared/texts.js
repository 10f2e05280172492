// Texts in the page's language. The server puts them into the page as JSON, so scripts hold no words of their own.

export const language = document.documentElement.lang;

const data = JSON.parse(document.getElementById("texts").textContent);

const NAMES = /%\((\w+)\)s/g;
const categories = new Intl.PluralRules(language);

/** The data block of the page itself (such as the job as it was when the page was made). */
export function pageData() {
  return JSON.parse(document.getElementById("data").textContent);
}

/** The text under a key with its %(name)s filled in. */
export function text(key, values = {}) {
  return fill(data.texts[key], values);
}

/** The text under a key in the form that a number wants; %(n)s is the number. */
export function plural(key, n) {
  return fill(data.plurals[key][categories.select(n)], { n: new Intl.NumberFormat(language).format(n) });
}

function fill(template, values) {
  return template.replace(NAMES, (_, name) => String(values[name]));
}
