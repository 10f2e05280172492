// Cameras and phones write the index of an MP4 or MOV behind its media. Sent ahead, it lets the server begin to encode
// before the last byte. So do other boxes there, which tools look at before anything else. Nothing depends on it.

const HEADER = 16; // bytes: a size, a type, and a long size if there is one
const MOST_BOXES = 32; // of a file's top level; real ones have a few before their index
const FIRST = ["ftyp", "wide", "mdat", "free", "skip", "pnot"]; // what such a file begins with
const NO_INDEX = ["moof", "mfra"]; // of a file in fragments, which has its index in pieces

/**
 * Which bytes of a file its server is to have ahead: `{ begin, end }` of all that lies behind the media, or of the index
 * there if that has much behind it; null where there are none, or more than `most`.
 */
export async function indexOf(file, most) {
  let [index, behind, at] = [null, 0, 0];
  for (let boxes = 0; boxes < MOST_BOXES && at < file.size; boxes += 1) {
    const { type, size } = await boxAt(file, at);
    const end = at + size;
    if (!type || size < 8 || end > file.size || NO_INDEX.includes(type) || (at === 0 && !FIRST.includes(type))) return null;
    if (type === "moov") index ??= { begin: at, end };
    if (type === "mdat") behind = end;
    at = end;
  }
  if (!index || !behind || at < file.size || behind === file.size) return null;
  if (file.size - behind <= most) return { begin: behind, end: file.size };
  return index.begin >= behind && index.end - index.begin <= most ? index : null;
}

/** Send the index of a file to the upload at `place`; resolves with whether the server answered. Throws without a line. */
export async function sendIndex(file, place, signal) {
  const found = await indexOf(file, Number(document.getElementById("upload").dataset.longestIndex));
  if (!found || signal.aborted) return !signal.aborted;
  await fetch(`${place}/index`, {
    method: "PUT",
    headers: {
      "Tus-Resumable": "1.0.0",
      "Content-Type": "application/offset+octet-stream",
      "Upload-Offset": String(found.begin),
    },
    body: file.slice(found.begin, found.end),
    signal,
  });
  return true;
}

async function boxAt(file, at) {
  const bytes = await file.slice(at, at + HEADER).arrayBuffer();
  if (bytes.byteLength < 8) return {};
  const view = new DataView(bytes);
  const type = String.fromCharCode(...new Uint8Array(bytes, 4, 4));
  const size = view.getUint32(0);
  if (size === 0) return { type, size: file.size - at };
  if (size > 1) return { type, size };
  return { type, size: bytes.byteLength < HEADER ? 0 : Number(view.getBigUint64(8)) };
}
