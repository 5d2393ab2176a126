// What a photo file says of itself before anything is decoded, and the photo scaled down.

const LONGEST_SIDE = 1024; // pixels
const MOST_PIXELS = 50e6; // as the server says
const MOST_JPEG_PIXELS = 250e6; // of a JPEG in one scan
const QUALITY = 0.95;

const ascii = (bytes, start, length) => String.fromCharCode(...bytes.subarray(start, start + length));

/**
 * Read the header of a file.
 * Gives { width, height, whole, animated }, or null where the format is not one of these five.
 * `whole` is false where the end is missing: browsers show half a picture without a word.
 * Of a JPEG it gives `oneScan`, too: a progressive one has several.
 */
function inspect(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return inspectJpeg(bytes, view);
    if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return inspectPng(bytes, view);
    if (ascii(bytes, 0, 4) === "GIF8") {
      return { width: view.getUint16(6, true), height: view.getUint16(8, true), whole: true, animated: true };
    }
    if (ascii(bytes, 0, 2) === "BM" && view.getUint32(14, true) >= 40) {
      return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)), whole: true, animated: false };
    }
    if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP") return inspectWebp(bytes, view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the header itself is cut off
    return { width: 0, height: 0, whole: false, animated: false };
  }
  return null;
}

function inspectJpeg(bytes, view) {
  let width = 0, height = 0, components = 0, progressive = false, oneScan = false, place = 2;
  for (;;) {
    const marker = view.getUint16(place);
    const length = view.getUint16(place + 2);
    const code = marker & 0xff;
    if (marker < 0xff01) return { width: 0, height: 0, whole: false, animated: false };
    if (code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code)) {
      height = view.getUint16(place + 5);
      width = view.getUint16(place + 7);
      components = bytes[place + 9];
      progressive = (code & 3) === 2;
    }
    place += 2 + length;
    oneScan = !progressive && bytes[place - length + 2] === components; // of all that the first scan has
    if (code === 0xda) break; // start of scan: pixels follow, in which 0xff 0xd9 can only be the end
  }
  let end = bytes.indexOf(0xff, place);
  while (end !== -1 && bytes[end + 1] !== 0xd9) end = bytes.indexOf(0xff, end + 1);
  return { width, height, whole: end !== -1, animated: false, oneScan };
}

function inspectPng(bytes, view) {
  let place = 8, animated = false;
  const width = view.getUint32(16), height = view.getUint32(20);
  while (place + 12 <= bytes.length) {
    const kind = ascii(bytes, place + 4, 4);
    if (kind === "acTL") animated = true;
    if (kind === "IEND") return { width, height, whole: true, animated };
    place += 12 + view.getUint32(place);
  }
  return { width, height, whole: false, animated };
}

function inspectWebp(bytes, view) {
  const whole = view.getUint32(4, true) + 8 <= bytes.length;
  const kind = ascii(bytes, 12, 4);
  if (kind === "VP8X") {
    const side = (start) => 1 + view.getUint16(start, true) + (view.getUint8(start + 2) << 16);
    return { width: side(24), height: side(27), whole, animated: Boolean(view.getUint8(20) & 2) };
  }
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff), whole, animated: false };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, whole, animated: false };
}

/** Scale a photo down: upright, over white, a JPEG without metadata. Rejects what cannot be decoded. */
async function scaleDown(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const context = canvas.getContext("2d", { alpha: false });
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    if (!blob) throw new Error("the browser could not encode the photo");
    return blob;
  } finally {
    bitmap.close();
  }
}

/**
 * Make a photo ready to leave.
 * Gives { blob, preview }: what to send, and what the page may show of it (null: nothing).
 */
async function prepare(file) {
  const header = inspect(new Uint8Array(await file.arrayBuffer()));
  const asItIs = { blob: file, preview: null };
  const most = header?.oneScan ? MOST_JPEG_PIXELS : MOST_PIXELS;
  if (header && (!header.whole || header.width * header.height > most)) return asItIs; // the server says why
  if (header?.animated) return { blob: file, preview: file }; // so that the server can say what it looked at
  try {
    const blob = await scaleDown(file);
    return { blob, preview: blob };
  } catch {
    return asItIs;
  }
}
