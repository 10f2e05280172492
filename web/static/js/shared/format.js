// Numbers, sizes and times in the page's language, of what only the browser knows: uploads under way, the player, clocks.

import { language, text } from "./texts.js";

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

function unit(count, name, options) {
  return new Intl.NumberFormat(language, { style: "unit", unit: name, ...options }).format(count);
}

function scaled(count, suffix) {
  let power = 0;
  while (count >= 1000 && power < BYTE_UNITS.length - 1) {
    count /= 1000;
    power += 1;
  }
  const maximumFractionDigits = power > 1 ? 1 : 0;
  return unit(count, BYTE_UNITS[power] + suffix, { unitDisplay: "short", maximumFractionDigits });
}

/** A number of bytes, such as "12.3 MB". */
export function size(count) {
  return count === null || count === undefined ? text("size.unknown") : scaled(count, "");
}

/** Bytes per second, such as "12.3 MB/s". */
export function rate(count) {
  return scaled(count, "-per-second");
}

/** A length of time in the two largest units that matter, such as "1 hour 20 minutes". */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  const minutes = Math.round(whole / MINUTE);
  const parts =
    whole < HOUR
      ? [[Math.floor(whole / MINUTE), "minute"], [whole % MINUTE, "second"]]
      : [[Math.floor(minutes / 60), "hour"], [minutes % 60, "minute"]];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, name]) => unit(count, name, { unitDisplay: "long" }))
    .join(" ");
}

/** A place in a video as players show it, such as "1:05" or "2:00:31". */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / HOUR), Math.floor(whole / MINUTE) % 60, whole % MINUTE];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** 0..1 in per cent; 100 % only when nothing is missing. */
export function percent(fraction) {
  return new Intl.NumberFormat(language, { style: "percent" }).format(Math.floor(fraction * 100) / 100);
}

/** A plain number with at most so many digits behind the point. */
export function number(value, maximumFractionDigits = 0) {
  return new Intl.NumberFormat(language, { maximumFractionDigits }).format(value);
}

/** An RFC 3339 time in the visitor's zone. */
export function when(stamp) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(stamp));
}

/** How long ago a time was, such as "5 minutes ago". */
function ago(stamp) {
  const seconds = (Date.now() - new Date(stamp).getTime()) / 1000;
  if (seconds < MINUTE) return text("time.now");
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (seconds < HOUR) return relative.format(-Math.floor(seconds / MINUTE), "minute");
  if (seconds < DAY) return relative.format(-Math.floor(seconds / HOUR), "hour");
  return relative.format(-Math.floor(seconds / DAY), "day");
}

/** Word every <time> below an element by its own stamp, and keep the words true as time goes by. */
export function keepTimes(root) {
  const refresh = () => root.querySelectorAll("time[datetime]").forEach(wordTime);
  refresh();
  setInterval(refresh, 30_000);
}

/** Word one <time>: how long ago, the exact time as its tooltip. */
export function wordTime(element) {
  if (!element.dateTime) return;
  element.textContent = ago(element.dateTime);
  element.title = when(element.dateTime);
}
