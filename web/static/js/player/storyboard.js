// Previews: pictures of the whole video on one sheet, and cues (WebVTT) that say which of them belongs to which moment.

const CUE = /--> (\d+):(\d\d):(\d\d\.\d{3})\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;

/** The storyboard at an address; nothing is fetched before `load()`. */
export class Storyboard {
  #cues = [];
  #loading = null;

  constructor(url) {
    this.url = url;
  }

  /** Fetch the cues, once; without them there are no previews, and nothing else is missing. */
  load() {
    this.#loading ??= this.#fetch().catch(() => (this.#loading = null));
    return this.#loading;
  }

  async #fetch() {
    const answer = await fetch(this.url);
    if (!answer.ok) throw new Error(`${this.url}: ${answer.status}`);
    const base = new URL(this.url, location.href);
    this.#cues = [...(await answer.text()).matchAll(CUE)].map(([, hours, minutes, seconds, name, ...place]) => ({
      end: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
      sheet: new URL(name, base).href,
      place: place.map(Number),
    }));
  }

  /** Make the element show what is to be seen at a moment (seconds); tell whether there is something. */
  paint(element, moment) {
    const cue = this.#cues.find(({ end }) => moment < end) ?? this.#cues.at(-1);
    if (!cue) return false;
    const [x, y, width, height] = cue.place;
    Object.assign(element.style, {
      width: `${width}px`,
      height: `${height}px`,
      backgroundImage: `url("${cue.sheet}")`,
      backgroundPosition: `-${x}px -${y}px`,
    });
    return true;
  }
}
