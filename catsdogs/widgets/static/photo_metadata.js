// Taking off what a photo file says beside its picture, such as place, date and camera, before the file is sent.
// The server, which reads these files, needs neither checksums nor lengths of what is put in or taken off.

const ascii = (bytes, start, length) => String.fromCharCode(...bytes.subarray(start, start + length));
const latin1 = (bytes) => new TextDecoder("latin1").decode(bytes);
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Return the parts of a photo file without its metadata, or null where they cannot be taken off: it is damaged or of
 * another format. The pixels and what tells their colours stay as they are, and so does the orientation.
 */
function withoutMetadata(bytes) {
  try {
    if (ascii(bytes, 0, 2) === "\xff\xd8") return jpegWithoutMetadata(bytes);
    if (ascii(bytes, 0, 4) === "\x89PNG") return pngWithoutMetadata(bytes);
    if (ascii(bytes, 8, 4) === "WEBP") return webpWithoutMetadata(bytes);
    if (ascii(bytes, 4, 4) === "ftyp") return heifWithoutMetadata(bytes);
    if (ascii(bytes, 0, 4) === "\0\0\x01\0") return [bytes]; // an icon has none
    // a BMP has none either; of those with masks of bits, browsers show more kinds than the server reads
    if (ascii(bytes, 0, 2) === "BM" && [1, 4, 8, 24].includes(viewOf(bytes).getUint16(28, true))) return [bytes];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the file ends within its header
  }
  return null;
}

function jpegWithoutMetadata(bytes) {
  const view = viewOf(bytes);
  const kept = [];
  let offset = 2, exif, xmp;
  for (;;) {
    offset = bytes.indexOf(0xff, offset); // what is damaged between two segments is left out
    if (offset < 0) return null;
    const code = view.getUint8(offset + 1);
    if (code === 0xda) break; // the pixels begin
    if (code === 0xff || code < 0x02 || (code >= 0xd0 && code <= 0xd8)) {
      offset += 1; // no segment begins here
      continue;
    }
    const end = offset + 2 + view.getUint16(offset + 2);
    const segment = bytes.subarray(offset, end);
    const body = bytes.subarray(offset + 4, end);
    if (code === 0xe1 && ascii(body, 0, 4) === "Exif") exif ??= body;
    else if (code === 0xe1 && ascii(body, 0, 28) === "http://ns.adobe.com/xap/1.0/") xmp ??= body;
    else if (isPictureSegment(code, body)) kept.push(segment);
    offset = end;
  }
  const turn = orientationAsExif(exif, xmp);
  if (turn) kept.unshift(new Uint8Array([0xff, 0xe1, 0, 8 + turn.length]), "Exif\0\0", turn);
  return [bytes.subarray(0, 2), ...kept, bytes.subarray(offset)];
}

/** Return whether a segment is a part of the picture: none of a program, but for those that tell how colours are stored. */
function isPictureSegment(code, body) {
  if (code === 0xe2) return ascii(body, 0, 11) === "ICC_PROFILE";
  return code <= 0xe0 || code === 0xee;
}

function pngWithoutMetadata(bytes) {
  const view = viewOf(bytes);
  const kept = [];
  let offset = 8, exif, xmp;
  while (offset + 8 <= bytes.length) {
    const kind = ascii(bytes, offset + 4, 4);
    const end = offset + 12 + view.getUint32(offset);
    const body = bytes.subarray(offset + 8, end - 4);
    if (kind === "eXIf") exif ??= body;
    else if (kind === "iTXt" && ascii(body, 0, 17) === "XML:com.adobe.xmp") xmp ??= body;
    else if (!["tEXt", "zTXt", "iTXt", "tIME"].includes(kind)) kept.push(bytes.subarray(offset, end));
    offset = kind === "IEND" ? bytes.length : end;
  }
  const turn = orientationAsExif(exif, xmp);
  if (turn) kept.splice(1, 0, new Uint8Array([0, 0, 0, turn.length]), "eXIf", turn, new Uint8Array(4));
  return [bytes.subarray(0, 8), ...kept];
}

function webpWithoutMetadata(bytes) {
  const view = viewOf(bytes);
  const kept = [];
  let offset = 12, exif, xmp;
  while (offset + 8 <= bytes.length) {
    const kind = ascii(bytes, offset, 4);
    const length = view.getUint32(offset + 4, true);
    const end = offset + 8 + length + (length & 1);
    const body = bytes.subarray(offset + 8, end);
    if (kind === "EXIF") exif ??= body;
    else if (kind === "XMP ") xmp ??= body;
    else kept.push(bytes.subarray(offset, end));
    offset = end;
  }
  const turn = orientationAsExif(exif, xmp);
  if (turn) kept.push("EXIF", new Uint8Array([turn.length, 0, 0, 0]), turn);
  return [bytes.subarray(0, 12), ...kept];
}

/** Return EXIF that has the orientation only, which is taken from EXIF or else from XMP; null where it is in neither. */
function orientationAsExif(exif, xmp) {
  while (exif && ascii(exif, 0, 4) === "Exif") exif = exif.subarray(6); // some programs write it twice, or where it is none
  const entry = exif && orientationEntry(exif);
  if (entry) {
    const isLittle = exif[0] === 0x49; // "II"
    const header = isLittle ? [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0] : [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1];
    return new Uint8Array([...header, ...entry, 0, 0, 0, 0]);
  }
  const [, digit] = (xmp && /tiff:Orientation(?:="|>)([0-9])/.exec(latin1(xmp))) ?? [];
  return digit ? new Uint8Array([0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, digit, 0, 0, 0, 0, 0, 0]) : null;
}

/** Return the entry of the orientation in EXIF, 12 bytes; undefined where there is none, or EXIF is damaged before it. */
function orientationEntry(exif) {
  try {
    const view = viewOf(exif);
    const isLittle = exif[0] === 0x49;
    const first = view.getUint32(4, isLittle) + 2;
    const count = view.getUint16(first - 2, isLittle);
    for (let start = first; start < first + 12 * count; start += 12) {
      if (view.getUint16(start, isLittle) === 0x0112) return exif.subarray(start, start + 12);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the directory ends early
  }
}

/** Return a HEIC or AVIF whose items of EXIF and XMP are zeros, of no kind: without them, all places in the file would change. */
function heifWithoutMetadata(bytes) {
  const view = viewOf(bytes);
  const meta = boxesIn(bytes, view, 0, bytes.length).find(({ kind }) => kind === "meta");
  const boxes = meta ? boxesIn(bytes, view, meta.start + 4, meta.end) : [];
  const [infos, places, beside] = ["iinf", "iloc", "idat"].map((name) => boxes.find(({ kind }) => kind === name));
  if (!infos || !places) return null;
  const cleared = bytes.slice();
  const items = new Set();
  for (const { item, place } of metadataItems(bytes, view, infos)) {
    items.add(item);
    cleared.set([0x66, 0x72, 0x65, 0x65], place); // "free"
  }
  for (const { item, start, end } of itemPlaces(view, places, beside)) if (items.has(item)) cleared.fill(0, start, end);
  return [cleared];
}

/** List the boxes in a part of a HEIC or AVIF: their kind, and where their content begins and ends. */
function boxesIn(bytes, view, begin, end) {
  const found = [];
  for (let at = begin; at + 8 <= end; ) {
    const isLong = view.getUint32(at) === 1;
    const length = isLong ? Number(view.getBigUint64(at + 8)) : view.getUint32(at) || end - at;
    if (length < 8) break;
    found.push({ kind: ascii(bytes, at + 4, 4), start: at + (isLong ? 16 : 8), end: at + length });
    at += length;
  }
  return found;
}

/** List the numbers of the items that are EXIF or XMP, and where their kind stands. */
function metadataItems(bytes, view, { start, end }) {
  const found = [];
  for (const info of boxesIn(bytes, view, start + (view.getUint8(start) ? 8 : 6), end)) {
    const isLong = view.getUint8(info.start) > 2; // numbers of four bytes
    const item = isLong ? view.getUint32(info.start + 4) : view.getUint16(info.start + 4);
    const place = info.start + (isLong ? 10 : 8);
    if (["Exif", "mime"].includes(ascii(bytes, place, 4))) found.push({ item, place });
  }
  return found;
}

/** List where the parts of each item are: in the file, or in the box `beside`. */
function itemPlaces(view, { start }, beside) {
  const version = view.getUint8(start);
  const sizes = view.getUint16(start + 4);
  const numberSize = version < 2 ? 2 : 4;
  const found = [];
  let at = start + 6;
  const next = (size) => {
    at += size;
    return size === 8 ? Number(view.getBigUint64(at - 8)) : size === 4 ? view.getUint32(at - 4) : size === 2 ? view.getUint16(at - 2) : 0;
  };
  for (let items = next(numberSize); items > 0; items -= 1) {
    const item = next(numberSize);
    const isBeside = version > 0 && next(2) === 1;
    next(2);
    const base = next((sizes >> 4) & 15) + (isBeside && beside ? beside.start : 0);
    for (let parts = next(2); parts > 0; parts -= 1) {
      if (version > 0) next(sizes & 15);
      const place = base + next(sizes >> 12);
      found.push({ item, start: place, end: place + next((sizes >> 8) & 15) });
    }
  }
  return found;
}
