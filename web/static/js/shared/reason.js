// Why the server refused something, in the page's language: its API says so in English, with a code and numbers.

import { number } from "./format.js";
import { known, language, text } from "./texts.js";

/** The reason in one sentence; the server's own where there is no such text, or not its numbers. */
export function reason({ code, message, values }) {
  if (language === "en") return message;
  const filled = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value, 1)]));
  return known(`error.${code}`, filled) ? text(`error.${code}`, filled) : message;
}
