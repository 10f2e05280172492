// hls.js asks for a growing playlist again every few seconds, and longer than a short segment lasts when it has not
// grown. The page is told of every finished segment: so an unchanged playlist is held back until there is more.

/** A loader class of playlists for one player of hls.js, over its usual one, and `grown()`, which has them ask again. */
export function growingLoader(Base) {
  const waiting = new Set();
  const last = new Map(); // by kind of playlist: what was handed on
  let growth = 0;

  class GrowingLoader {
    constructor(config) {
      this.config = config;
      this.inner = new Base(config);
    }

    get stats() {
      return this.inner.stats;
    }

    get context() {
      return this.inner.context;
    }

    load(context, config, callbacks) {
      const asked = growth;
      const onSuccess = (answer, stats, ...rest) => {
        const known = last.get(context.type);
        // Of another rung the player knows nothing yet, or not enough.
        if (known?.url !== context.url || known.text !== answer.data) {
          last.set(context.type, { url: context.url, text: answer.data });
          callbacks.onSuccess(answer, stats, ...rest);
          return;
        }
        this.again = () => this.#repeat(context, config, callbacks);
        waiting.add(this);
        if (asked !== growth) grown(); // it grew while the answer was on its way
      };
      this.inner.load(context, config, { ...callbacks, onSuccess });
    }

    #repeat(context, config, callbacks) {
      this.inner.destroy();
      this.inner = new Base(this.config);
      this.load(context, config, callbacks);
    }

    abort() {
      waiting.delete(this);
      this.inner.abort();
    }

    destroy() {
      waiting.delete(this);
      this.inner.destroy();
    }

    getCacheAge() {
      return this.inner.getCacheAge?.() ?? null;
    }

    getResponseHeader(name) {
      return this.inner.getResponseHeader?.(name) ?? null;
    }
  }

  function grown() {
    growth += 1;
    const loaders = [...waiting];
    waiting.clear();
    loaders.forEach((loader) => loader.again());
  }

  return { Loader: GrowingLoader, grown };
}
