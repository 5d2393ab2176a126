function render({ model, el: place }) {
  return takeOver(model, place, "photo_input") ?? draw(model, place);
}

function draw(model, place) {
  const texts = model.get("texts");
  const root = begin(model, place, "photo");

  const input = make("input", {
    type: "file",
    multiple: true,
    accept: "image/*,.heic,.heif,.tif,.tiff", // on a phone, the camera is offered, too
    class: "cd-hidden",
    "aria-label": texts.choose,
  });
  const invitation = make(
    "span",
    { class: "cd-invitation" },
    icon("photo"),
    make("span", { class: "cd-button" }, texts.choose),
    make("span", { class: "cd-drop-hint" }, texts.or_drop),
    make("span", { class: "cd-muted" }, texts.hint),
  );
  const picture = make("img", { class: "cd-picture", hidden: true, alt: "" });
  const blank = make("span", { class: "cd-blank", hidden: true }, icon("photo"), texts.no_preview);
  const waiting = make("span", { class: "cd-waiting" });
  const cancel = make("button", { type: "button", class: "cd-button cd-quiet", onclick: stop }, texts.cancel);
  const veil = make(
    "div",
    { class: "cd-veil", hidden: true },
    make("span", { class: "cd-ring" }),
    make("span", {}, texts.looking, waiting),
    cancel,
  );
  const name = make("span", { class: "cd-name" });
  const another = make("button", { type: "button", class: "cd-button cd-quiet", onclick: () => input.click() }, texts.another);
  const problem = make("p", { class: "cd-problem", role: "alert" });
  const news = make("p", { class: "cd-hidden", role: "status" });

  const brought = new Map(); // number of the photo -> { number, name, address of its picture or null }
  const queue = []; // files, and sample pictures
  let last = 0;
  let handled = 0; // files of this visit, and sample pictures
  let shown = 0;
  let onItsWay = null; // its AbortController

  const map = activationMap(model, root, picture, () => shown);
  const zone = make("label", { class: "cd-drop" }, input, invitation, picture, map.canvas, blank);
  const visit = visitList(model, () => [...brought.values()], () => shown, recall);
  const samples = sampleList(model, (sample) => take([sample]));
  const caption = make("div", { class: "cd-caption", hidden: true }, name, map.button, another);
  root.append(
    make("div", { class: "cd-stage" }, zone, veil),
    caption,
    map.legend,
    problem,
    news,
    samples.element,
    visit.element,
  );

  function show(photo) {
    shown = photo?.number ?? 0;
    picture.hidden = !photo?.address;
    blank.hidden = !photo || Boolean(photo.address);
    if (photo?.address) picture.src = photo.address;
    picture.alt = name.textContent = name.title = photo?.name ?? "";
    invitation.hidden = Boolean(photo);
    caption.hidden = !photo;
    root.classList.toggle("cd-filled", Boolean(photo));
    samples.element.hidden = Boolean(photo && !photo.sample);
    visit.draw();
    map.draw();
  }

  /** Give the sentence that refuses a file before it is looked at, or "". */
  function refusal(file) {
    if (file.sample) return "";
    if (file.size === 0) return texts.empty;
    if (file.type && !file.type.startsWith("image/")) return texts.not_photo;
    return "";
  }

  /** Bring a photo that is shown already to the kernel, which answers; taken back when it is cancelled. */
  function tell(photo, content, buffers, signal) {
    signal.throwIfAborted();
    signal.addEventListener("abort", async () => {
      brought.delete(photo.number);
      problem.textContent = await ask(model, { number: photo.number, action: "discard" });
    });
    return ask(model, { number: photo.number, ...content }, buffers);
  }

  /** Show a photo and its answer. Resolves to "" or to a sentence that says what went wrong. */
  async function bring(item, signal) {
    const photo = { number: (last += 1), name: item.name, address: item.address ?? null, sample: item.sample };
    const enter = () => {
      brought.set(photo.number, photo);
      show(photo);
    };
    if (item.sample) {
      enter();
      return tell(photo, { action: "predict_sample", name: item.sample }, [], signal);
    }
    if (refusal(item)) return refusal(item);
    try {
      const { blob, preview } = await prepare(item);
      signal.throwIfAborted();
      photo.address = preview && URL.createObjectURL(preview);
      enter();
      if (blob.size > model.get("max_bytes")) return texts.too_large;
      return await tell(photo, { action: "predict", name: item.name }, [await blob.arrayBuffer()], signal);
    } catch (error) {
      console.error(error); // the file vanished, or may not be read
      return texts.unreadable;
    }
  }

  /** One after the other: an answer belongs to the photo that is shown. */
  async function take(items) {
    queue.push(...items);
    drawQueue();
    if (onItsWay || queue.length === 0) return;
    root.setAttribute("aria-busy", "true");
    problem.textContent = "";
    const refused = [];
    while (queue.length) {
      const item = queue.shift();
      handled += 1;
      drawQueue();
      veil.hidden = false;
      news.textContent = texts.looking;
      onItsWay = new AbortController();
      const { signal } = onItsWay;
      const cancelled = new Promise((resolve) => signal.addEventListener("abort", () => resolve("")));
      const sentence = await Promise.race([bring(item, signal), cancelled]);
      if (sentence) refused.push({ item, sentence });
      news.textContent = signal.aborted ? texts.cancelled : sentence ? "" : texts.done;
    }
    onItsWay = null;
    // named where it is not plain which is meant: of several, or where nothing is shown of it
    const named = (item) => handled > 1 || refusal(item);
    problem.textContent = refused.map(({ item, sentence }) => (named(item) ? `${item.name}: ${sentence}` : sentence)).join("\n");
    veil.hidden = true;
    root.removeAttribute("aria-busy");
  }

  /** Cancel the photo on its way, and those that wait. */
  function stop() {
    queue.length = 0;
    drawQueue();
    onItsWay?.abort();
    show(null);
    input.focus();
  }

  function drawQueue() {
    waiting.textContent = queue.length ? texts.waiting.replace("{n}", queue.length) : "";
  }

  async function recall(photo) {
    if (onItsWay) return;
    problem.textContent = await ask(model, { number: photo.number, action: "show" });
    if (!problem.textContent) show(photo);
  }

  model.on("change:answer_kinds", visit.draw);
  model.on("change:explanation", map.draw);
  const unwatch = watchSources({
    root,
    zone,
    input,
    take,
    refuseFolder: () => {
      if (!onItsWay) problem.textContent = texts.folder;
    },
  });
  return () => {
    unwatch();
    samples.dispose();
    for (const { address, sample } of brought.values()) if (address && !sample) URL.revokeObjectURL(address);
  };
}

export default { render };
