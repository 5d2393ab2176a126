// Photo files: what their header says, and a smaller copy without metadata.

const MOST_UNSCALED = 400_000; // bytes of a file that is sent as it is: a copy would hardly be smaller
const SENT = { side: 1024, quality: 0.95 }; // the copy that is sent: its longest side in pixels, and its JPEG quality
const KEPT = { side: 512, quality: 0.9 }; // the copy that the tab keeps: as large as one that is kept for training

/**
 * Read the header of a JPEG, PNG, GIF, BMP or WebP file.
 * Returns { width, height, complete, animated }, or null for another format.
 * `complete` is false where the end of the file is missing: browsers would show half of the picture without an error.
 * For a JPEG it returns `oneScan`, too: a progressive JPEG has several scans; and `inks`: its colours are those of a print.
 * For a PNG it returns `deepGrey`: 16 bits.
 */
function readHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return readJpegHeader(bytes, view);
    if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return readPngHeader(bytes, view);
    if (ascii(bytes, 0, 4) === "GIF8") {
      return { width: view.getUint16(6, true), height: view.getUint16(8, true), complete: true, animated: true };
    }
    if (ascii(bytes, 0, 2) === "BM" && view.getUint32(14, true) >= 40) {
      return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)), complete: true, animated: false };
    }
    if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP") return readWebpHeader(bytes, view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the file ends within the header
    return { width: 0, height: 0, complete: false, animated: false };
  }
  return null;
}

function readJpegHeader(bytes, view) {
  let width = 0, height = 0, components = 0, progressive = false, oneScan = false, offset = 2;
  for (;;) {
    const marker = view.getUint16(offset);
    const length = view.getUint16(offset + 2);
    const code = marker & 0xff;
    if (marker < 0xff01) return { width: 0, height: 0, complete: false, animated: false };
    if (code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code)) {
      height = view.getUint16(offset + 5);
      width = view.getUint16(offset + 7);
      components = bytes[offset + 9];
      progressive = (code & 3) === 2;
    }
    offset += 2 + length;
    oneScan = !progressive && bytes[offset - length + 2] === components; // the first scan has all components
    if (code === 0xda) break; // start of scan: within the pixels that follow, 0xff 0xd9 can only mean the end
  }
  let end = bytes.indexOf(0xff, offset);
  while (end !== -1 && bytes[end + 1] !== 0xd9) end = bytes.indexOf(0xff, end + 1);
  return { width, height, complete: end !== -1, animated: false, oneScan, inks: components === 4 };
}

function readPngHeader(bytes, view) {
  let offset = 8, animated = false;
  const width = view.getUint32(16), height = view.getUint32(20);
  const deepGrey = bytes[24] === 16 && (bytes[25] & 2) === 0;
  while (offset + 12 <= bytes.length) {
    const kind = ascii(bytes, offset + 4, 4);
    if (kind === "acTL") animated = true;
    if (kind === "IEND") return { width, height, complete: true, animated, deepGrey };
    offset += 12 + view.getUint32(offset);
  }
  return { width, height, complete: false, animated, deepGrey };
}

function readWebpHeader(bytes, view) {
  const complete = view.getUint32(4, true) + 8 <= bytes.length;
  const kind = ascii(bytes, 12, 4);
  if (kind === "VP8X") {
    const side = (start) => 1 + view.getUint16(start, true) + (view.getUint8(start + 2) << 16);
    return { width: side(24), height: side(27), complete, animated: Boolean(view.getUint8(20) & 2) };
  }
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff), complete, animated: false };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, complete, animated: false };
}

/**
 * Create a copy of a decoded picture as a JPEG: at most `side` pixels a side, transparency over white. Throws where the
 * browser cannot encode it.
 */
async function scaleDown(picture, { side, quality }) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  if (!blob) throw new Error("the browser could not encode the photo");
  return blob;
}

/** Load a picture as a page shows it, upright, also an incomplete one. Resolves to null where the browser cannot show it. */
function loadPicture(file) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  const loaded = new Promise((resolve) => {
    picture.addEventListener("load", () => resolve(picture));
    picture.addEventListener("error", () => resolve(null));
  });
  return loaded.finally(() => URL.revokeObjectURL(picture.src));
}

/**
 * Choose what to send of a photo file, and what to show of it; `limits` are those of the server.
 * Returns { blob, preview }; `preview` is null where the browser cannot show the photo.
 * Small files are sent as they are, without their metadata: of them the server sees more than of a copy. So are files that
 * it judges better: those that are too large or incomplete, animations, 16-bit greyscale, of which the browser would use
 * the upper half only, and inks, which Chromium shows paler than they are; and all where the canvas returns noise.
 */
async function prepare(file, limits) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const header = readHeader(bytes);
  const parts = withoutMetadata(bytes);
  const itself = parts ? new Blob(parts) : file;
  const maxPixels = header?.oneScan ? limits.jpeg_pixels : limits.pixels;
  if (header && header.width * header.height > maxPixels) return { blob: itself, preview: null };
  const isJudgedBetter = header && (!header.complete || header.animated || header.deepGrey || (header.inks && file.size <= limits.bytes));
  if (isJudgedBetter || (parts && itself.size <= MOST_UNSCALED)) return { blob: itself, preview: (await loadPicture(file)) && file };
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" }); // fails where the file is incomplete
    const blob = await scaleDown(picture, SENT).finally(() => picture.close());
    return (await isCanvasTrue()) ? { blob, preview: blob } : { blob: itself, preview: file };
  } catch {
    return { blob: itself, preview: (await loadPicture(file)) && file };
  }
}

/** Create the small copy of a photo that the tab keeps, as a data URL; null where the browser cannot make a true one. */
async function smallPicture(file) {
  const picture = await loadPicture(file);
  if (!picture || !(await isCanvasTrue())) return null;
  const blob = await scaleDown(picture, KEPT);
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}

/** Return the bytes of a data URL; none where it is damaged. */
function bytesOf(dataUrl) {
  try {
    return Uint8Array.from(atob(dataUrl.slice(dataUrl.indexOf(",") + 1)), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** Return whether a file is in a format of photos, by its first bytes, whatever its name and type say. */
async function looksLikePhoto(file) {
  const bytes = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const starts = ["\xff\xd8\xff", "\x89PNG", "GIF8", "BM", "II*\0", "MM\0*", "II+\0", "MM\0+", "\0\0\x01\0"];
  const brand = ascii(bytes, 8, 4);
  if (ascii(bytes, 0, 4) === "RIFF") return brand === "WEBP";
  if (ascii(bytes, 4, 4) === "ftyp") return /^(hei[cxms]|hev[cxms]|m[is]f1|avi[fs])$/.test(brand);
  return starts.some((start) => ascii(bytes, 0, start.length) === start);
}
