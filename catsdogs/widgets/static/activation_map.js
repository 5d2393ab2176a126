// What in the photo spoke for a cat, and what for a dog: the class-activation map, over the picture in grey.

const STRONGEST = 0.8; // how opaque the place is that speaks loudest
const SMALLEST_SCALE = 1; // logits: where nothing speaks much, nothing is shown as if it did

/** Make the map of the photo in `picture`, whose number is `shown()`: { canvas, button, legend, draw }. */
function activationMap(model, root, picture, shown) {
  const texts = model.get("texts");
  const canvas = make("canvas", { class: "cd-map", "aria-hidden": "true", hidden: true });
  const button = make("button", { type: "button", class: "cd-button cd-quiet", "aria-pressed": "false", hidden: true, onclick: toggle }, texts.map);
  const key = (kind, text) => make("span", { class: "cd-key" }, make("span", { class: `cd-fill-${kind}` }), text);
  const legend = make("p", { class: "cd-legend cd-muted", role: "status" });

  function toggle() {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
    draw();
  }

  function draw() {
    const { number, activation, box } = model.get("explanation");
    const ready = number === shown() && !picture.hidden && picture.naturalWidth > 0;
    const on = ready && button.getAttribute("aria-pressed") === "true";
    button.hidden = !ready;
    canvas.hidden = !on;
    picture.classList.toggle("cd-under-map", on);
    legend.replaceChildren(...(on ? [key("cat", texts.for_cat), key("dog", texts.for_dog), texts.frame] : []));
    if (on) paint(activation, box);
  }

  function paint(activation, [left, top, right, bottom]) {
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    const context = canvas.getContext("2d");
    const frame = [left * canvas.width, top * canvas.height, (right - left) * canvas.width, (bottom - top) * canvas.height];
    context.imageSmoothingQuality = "high";
    context.drawImage(grid(activation), ...frame);
    const line = Math.max(canvas.width, canvas.height) / 300;
    context.lineWidth = line;
    for (const [ink, start] of [["#fff", 0], ["#000", 4 * line]]) { // seen on any picture
      context.strokeStyle = ink;
      context.setLineDash([4 * line, 4 * line]);
      context.lineDashOffset = start;
      context.strokeRect(frame[0] + line / 2, frame[1] + line / 2, frame[2] - line, frame[3] - line);
    }
  }

  /** One pixel a place, the stronger the more opaque; the canvas smooths between them. */
  function grid(activation) {
    const looks = getComputedStyle(root);
    const [cat, dog] = ["--cat", "--dog"].map((name) => looks.getPropertyValue(name).match(/[\da-f]{2}/gi).map((pair) => parseInt(pair, 16)));
    const scale = Math.max(SMALLEST_SCALE, ...activation.flat().map(Math.abs));
    const pixels = activation.flat().flatMap((value) => [...(value < 0 ? cat : dog), 255 * STRONGEST * Math.abs(value) / scale]);
    const small = make("canvas", { width: activation[0].length, height: activation.length });
    small.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), small.width), 0, 0);
    return small;
  }

  picture.addEventListener("load", draw);
  return { canvas, button, legend, draw };
}
