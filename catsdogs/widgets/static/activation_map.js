// The class-activation map: where the photo supports "cat" and where "dog", drawn over the photo in grey.

const MAX_OPACITY = 0.8; // of the strongest cell
const MIN_SCALE = 1; // logits: weaker maps are not amplified

/**
 * Create the map of the photo in the image element `picture`.
 * `shownNumber()` is the number of the photo shown. Returns { canvas, button, legend, draw }.
 */
function activationMap(model, root, picture, shownNumber) {
  const texts = model.get("texts");
  const canvas = make("canvas", { class: "cd-map", "aria-hidden": "true", hidden: true });
  const button = quietButton({ "aria-pressed": "false", hidden: true, onclick: toggle }, texts.map);
  const key = (kind, text) => make("span", { class: "cd-key" }, make("span", { class: `cd-fill-${kind}` }), text);
  const legend = make("p", { class: "cd-legend cd-muted", role: "status" });

  function toggle() {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
    draw();
  }

  function draw() {
    const { number, activation, box } = model.get("explanation");
    const ready = number === shownNumber() && !picture.hidden && picture.naturalWidth > 0;
    const on = ready && button.getAttribute("aria-pressed") === "true";
    button.hidden = !ready;
    canvas.hidden = !on;
    picture.classList.toggle("cd-under-map", on);
    legend.replaceChildren(...(on ? [key("cat", texts.for_cat), key("dog", texts.for_dog), texts.frame] : []));
    if (on) paint(activation, box);
  }

  /** Paint the map and a dashed frame into the part of the photo that the model received; `box` holds shares of the sides. */
  function paint(activation, [left, top, right, bottom]) {
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    const context = canvas.getContext("2d");
    const frame = [left * canvas.width, top * canvas.height, (right - left) * canvas.width, (bottom - top) * canvas.height];
    context.imageSmoothingQuality = "high";
    context.drawImage(heatmap(activation), ...frame);
    const line = Math.max(canvas.width, canvas.height) / 300;
    context.lineWidth = line;
    for (const [colour, offset] of [["#fff", 0], ["#000", 4 * line]]) { // both, to be visible on any photo
      context.strokeStyle = colour;
      context.setLineDash([4 * line, 4 * line]);
      context.lineDashOffset = offset;
      context.strokeRect(frame[0] + line / 2, frame[1] + line / 2, frame[2] - line, frame[3] - line);
    }
  }

  /** Create a canvas with one pixel per cell of the map: its colour is the animal's, its opacity the strength. */
  function heatmap(activation) {
    const styles = getComputedStyle(root);
    const [cat, dog] = ["--cat", "--dog"].map((name) => styles.getPropertyValue(name).match(/[\da-f]{2}/gi).map((pair) => parseInt(pair, 16)));
    const scale = Math.max(MIN_SCALE, ...activation.flat().map(Math.abs));
    const pixels = activation.flat().flatMap((value) => [...(value < 0 ? cat : dog), 255 * MAX_OPACITY * Math.abs(value) / scale]);
    const small = make("canvas", { width: activation[0].length, height: activation.length });
    small.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), small.width), 0, 0);
    return small;
  }

  picture.addEventListener("load", draw);
  return { canvas, button, legend, draw };
}
