// What this browser remembers of uploads that are not whole: tus-js-client keeps their addresses in localStorage.

const PREFIX = "tus::";

/** A file's fingerprint: by name, type, size and time of change. */
export function printOf(file, endpoint) {
  return globalThis.tus.defaultOptions.fingerprint(file, { endpoint });
}

/** The uploads that were begun and are not known to have ended: `{ place, print, name, size }`. */
export async function stored() {
  const entries = await globalThis.tus.defaultOptions.urlStorage.findAllUploads();
  return entries
    .filter(({ uploadUrl, size }) => uploadUrl && Number.isFinite(size))
    .map(({ urlStorageKey: key, uploadUrl, size, metadata }) => ({
      place: uploadUrl,
      print: key.slice(PREFIX.length, key.lastIndexOf("::")),
      name: String(metadata?.filename ?? ""),
      size,
    }));
}

/** Forget an upload. */
export async function forget(place) {
  const { urlStorage } = globalThis.tus.defaultOptions;
  for (const entry of await urlStorage.findAllUploads()) {
    if (entry.uploadUrl === place) await urlStorage.removeUpload(entry.urlStorageKey);
  }
}

/** How far an upload is at the server: bytes; null if it is none any more; undefined if nobody can tell now. */
export async function offsetOf(place) {
  try {
    const answer = await fetch(place, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
    if ([404, 410].includes(answer.status) || answer.headers.get("Rungs-Job")) return null;
    return answer.ok ? Number(answer.headers.get("Upload-Offset")) : undefined;
  } catch {
    return undefined;
  }
}
