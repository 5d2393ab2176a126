// Whether this browser's canvas returns what was drawn: browsers that hide who a person is may return noise instead.

const CHECK_SIDE = 32; // pixels
const LARGEST_DIFFERENCE = 24; // of any channel value, 0..255; compression as JPEG costs 6

/** Return the red, green and blue values of a pattern: gradients, which survive the compression. */
function checkPattern() {
  const pixels = new Uint8ClampedArray(4 * CHECK_SIDE * CHECK_SIDE);
  for (let y = 0; y < CHECK_SIDE; y += 1) {
    for (let x = 0; x < CHECK_SIDE; x += 1) {
      pixels.set([40 + 5 * x, 40 + 5 * y, 200 - 4 * x, 255], 4 * (y * CHECK_SIDE + x));
    }
  }
  return pixels;
}

/** Return the largest difference of two pictures, in channel values: the noise may be in some pixels only. */
function largestDifference(one, other) {
  return one.reduce((largest, value, index) => Math.max(largest, Math.abs(value - other[index])), 0);
}

/** Draw a pattern, encode it as a photo is encoded, decode that, and compare. */
async function checkCanvas() {
  try {
    const pattern = checkPattern();
    const canvas = make("canvas", { width: CHECK_SIDE, height: CHECK_SIDE });
    const context = canvas.getContext("2d", { alpha: false });
    context.putImageData(new ImageData(pattern, CHECK_SIDE, CHECK_SIDE), 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
    const bitmap = await createImageBitmap(blob);
    const second = make("canvas", { width: CHECK_SIDE, height: CHECK_SIDE }).getContext("2d", { alpha: false });
    second.drawImage(bitmap, 0, 0);
    bitmap.close();
    const read = second.getImageData(0, 0, CHECK_SIDE, CHECK_SIDE).data;
    return largestDifference(pattern, read) <= LARGEST_DIFFERENCE;
  } catch {
    return false; // a canvas that may not be read at all
  }
}

let canvasIsTrue; // the promise of the result, once it was asked for

/** Resolve to whether the canvas can be trusted with a photo; checked once. */
function isCanvasTrue() {
  canvasIsTrue ??= checkCanvas();
  return canvasIsTrue;
}
