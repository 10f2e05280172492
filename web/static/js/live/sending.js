// How fast a file comes in that another page sends: only who watches it for a while can tell.

import { duration, rate } from "../shared/format.js";
import { text } from "../shared/texts.js";
import { speedometer } from "../upload/speed.js";

let measure = null;

/** Words for the speed of a job's upload and the time left; "" while none is known, and for what does not move. */
export function speedWords(upload) {
  if (!upload?.moving) {
    measure = null;
    return "";
  }
  measure ??= speedometer();
  const speed = measure(upload.received);
  if (!speed) return "";
  const left = upload.length === null ? 0 : upload.length - upload.received;
  return left > 0 ? `${rate(speed)} · ${text("file.left", { duration: duration(left / speed) })}` : rate(speed);
}
