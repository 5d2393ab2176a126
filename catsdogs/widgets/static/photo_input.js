// The input for photos: takes files and sample pictures, sends them one after the other, and shows them.

/** Render the widget `PhotoInput`: adopt what the page has preloaded, or draw it. */
function render({ model, el }) {
  return adoptPreloaded(model, el, "photo_input") ?? draw(model, el);
}

function draw(model, el) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "photo");
  const input = fileInput(texts);
  const problem = errorParagraph();
  const status = make("p", { class: "cd-hidden", role: "status" });

  const photos = new Map(); // number -> { number, name, sample, address of the picture or null }
  const queue = []; // files and sample pictures that wait
  let lastNumber = 0;
  let handled = 0; // files and sample pictures since the page was opened
  let shownNumber = 0;
  let inProgress = null; // the AbortController of the photo in progress

  const stage = photoStage(model, root, input, () => shownNumber, cancelAll);
  const list = photoList(model, () => [...photos.values()], () => shownNumber, showAgain);
  const samples = sampleList(model, (sample) => take([sample]));
  root.append(...stage.elements, problem, status, samples.element, list.element);

  function show(photo) {
    shownNumber = photo?.number ?? 0;
    publishPhoto(root, { shown: shownNumber });
    stage.showPhoto(photo);
    samples.element.hidden = Boolean(photo && !photo.sample);
    list.draw();
  }

  /** Return why a file is refused before its content is read, or "". */
  function refusal(file) {
    if (file.sample) return "";
    if (file.size === 0) return texts.empty;
    if (file.type && !file.type.startsWith("image/")) return texts.not_photo;
    return "";
  }

  /** Send a photo that is shown already to the kernel. Where it is cancelled later, the kernel discards it. */
  function send(photo, content, buffers, signal) {
    signal.throwIfAborted();
    signal.addEventListener("abort", async () => {
      photos.delete(photo.number);
      problem.textContent = await request(model, { action: "discard", number: photo.number });
    });
    return request(model, { ...content, number: photo.number }, buffers);
  }

  /** Show a file or a sample picture and have it answered. Resolves to "" or to an error message. */
  async function predict(item, signal) {
    const photo = { number: (lastNumber += 1), name: item.name, address: item.address ?? null, sample: item.sample };
    const add = () => {
      photos.set(photo.number, photo);
      show(photo);
    };
    if (item.sample) {
      add();
      return send(photo, { action: "predict_sample", name: item.sample }, [], signal);
    }
    if (refusal(item)) return refusal(item);
    try {
      const { blob, preview } = await prepare(item, model.get("limits"));
      signal.throwIfAborted();
      photo.address = preview && URL.createObjectURL(preview);
      add();
      if (blob.size > model.get("limits").bytes) return texts.too_large;
      return await send(photo, { action: "predict", name: item.name }, [await blob.arrayBuffer()], signal);
    } catch (error) {
      console.error(error); // for example, the file was deleted or its permissions forbid reading
      return texts.unreadable;
    }
  }

  /** Add files and samples to the queue, and handle it one item at a time: the answer is of the photo shown. */
  async function take(items) {
    queue.push(...items);
    stage.showQueue(queue.length);
    if (inProgress || queue.length === 0) return;
    publishPhoto(root, { busy: true });
    problem.textContent = "";
    const refused = [];
    while (queue.length) {
      const item = queue.shift();
      const message = await handle(item);
      if (message) refused.push({ item, message });
    }
    inProgress = null;
    // the file is named where it is not obvious which one is meant: of several, or where nothing of it is shown
    const isNamed = (item) => handled > 1 || refusal(item);
    problem.textContent = refused.map(({ item, message }) => (isNamed(item) ? `${item.name}: ${message}` : message)).join("\n");
    stage.setProgress(false);
    publishPhoto(root, { busy: false });
  }

  /** Handle one item of the queue until it is answered, refused or cancelled. Resolves to "" or to an error message. */
  async function handle(item) {
    handled += 1;
    stage.showQueue(queue.length);
    stage.setProgress(true);
    status.textContent = texts.predicting;
    inProgress = new AbortController();
    const { signal } = inProgress;
    const cancelled = new Promise((resolve) => signal.addEventListener("abort", () => resolve("")));
    const message = await Promise.race([predict(item, signal), cancelled]);
    status.textContent = signal.aborted ? texts.cancelled : message ? "" : texts.done;
    return message;
  }

  /** Cancel the photo in progress and those that wait. */
  function cancelAll() {
    queue.length = 0;
    stage.showQueue(0);
    inProgress?.abort();
    show(null);
    input.focus();
  }

  async function showAgain(photo) {
    if (inProgress) return;
    problem.textContent = await request(model, { action: "show", number: photo.number });
    if (!problem.textContent) show(photo);
  }

  model.on("change:answer_kinds", list.draw);
  model.on("change:explanation", stage.map.draw);
  const unwatch = watchSources({
    root,
    zone: stage.zone,
    input,
    take,
    refuseFolder: () => {
      if (!inProgress) problem.textContent = texts.folder;
    },
  });
  return () => {
    unwatch();
    samples.dispose();
    for (const { address, sample } of photos.values()) if (address && !sample) URL.revokeObjectURL(address);
  };
}

export default { render };
