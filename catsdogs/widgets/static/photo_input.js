// The input for photos: takes files and sample pictures, sends them one after the other, and shows them.

const PROGRESS_EVENTS = [...CONNECTION_EVENTS, "catsdogs:kernelStatus"];

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

  const queue = []; // files and sample pictures that wait
  let handled = 0; // files and sample pictures since the page was opened
  let stageNumber = 0; // number of the photo on the stage, or 0
  let shownNumber = readFromTab("shown", 0); // number of the photo whose answer is shown, or was before the one on its way
  let inProgress = null; // the AbortController of the photo on its way
  let wasConnected = false; // whether the page was connected to its kernel yet
  let isPassedOn = false; // whether that photo is ready, and is being sent or waits for the kernel
  let refusals = ""; // what was said about files that were refused; it is over when an earlier photo is chosen

  const stage = photoStage(model, root, input, () => stageNumber, cancelAll);
  const samples = sampleList(model, (sample) => take([sample]));
  const visit = visitPhotos(model, samples.items);
  const list = photoList(model, visit.answered, () => stageNumber, choose);
  const again = startOver(texts, clear);
  const visitRow = make("div", { class: "cd-visit" }, list.element, again.element);
  root.append(...stage.elements, problem, status, samples.element, visitRow);

  function show(photo) {
    stageNumber = photo?.number ?? 0;
    publishPhoto(root, { shown: stageNumber });
    stage.showPhoto(photo);
    samples.element.hidden = Boolean(photo && !photo.sample);
    again.element.hidden = !photo;
    list.draw();
  }

  /** Return why a file is refused in the browser, or "". Systems may give it no type, or a wrong one. */
  async function refusal(file) {
    if (file.size === 0) return texts.empty;
    const isUntyped = !file.type || file.type === "application/octet-stream";
    if (isUntyped || file.type.startsWith("image/") || (await looksLikePhoto(file))) return "";
    return texts.not_photo;
  }

  /** Send a photo that is shown already to the kernel. Where it is cancelled later, the kernel discards it. */
  async function send(photo, content, buffers, signal) {
    signal.throwIfAborted();
    isPassedOn = true;
    drawProgress();
    signal.addEventListener("abort", async () => {
      visit.remove(photo);
      report(await request(model, { action: "discard", number: photo.number }));
    });
    const message = await request(model, { ...content, number: photo.number }, buffers, signal);
    if (signal.aborted) return "";
    // where only the time for the answer is over, it may still come: then the photo is listed (see below)
    if (message && (message !== texts.lost || document.body.dataset.session === "lost")) visit.remove(photo);
    if (!message) photo.answered = true;
    return message;
  }

  /** Show a file or a sample picture and have it answered. Resolves to "" or to an error message. */
  async function predict(item, signal) {
    if (item.sample) {
      const photo = visit.add(item, null);
      show(photo);
      return send(photo, { action: "predict_sample", name: item.sample }, [], signal);
    }
    try {
      const refused = await refusal(item);
      if (refused) return refused;
      const { blob, preview } = await prepare(item, model.get("limits"));
      signal.throwIfAborted();
      const photo = visit.add(item, preview);
      show(photo);
      if (blob.size > model.get("limits").bytes) {
        visit.remove(photo);
        return texts.too_large;
      }
      return await send(photo, { action: "predict", name: item.name }, [await blob.arrayBuffer()], signal);
    } catch (error) {
      console.error(error); // for example, the file was deleted or its permissions forbid reading
      return texts.unreadable;
    }
  }

  /** Add files and samples to the queue, and handle it one item at a time: the answer is of the photo shown. */
  async function take(items) {
    if (document.body.dataset.session === "lost") {
      if (items.length) problem.textContent = texts.session_lost;
      return;
    }
    queue.push(...items);
    stage.showQueue(queue.length);
    if (inProgress || queue.length === 0) return;
    publishPhoto(root, { busy: true });
    problem.textContent = "";
    const refused = [];
    while (queue.length) {
      const item = queue.shift();
      const before = stageNumber;
      const message = await handle(item);
      if (message) refused.push({ item, message, isShown: stageNumber !== before });
    }
    const cancelled = inProgress.signal.aborted;
    inProgress = null;
    drawProgress();
    // the file is named where it is not obvious which one is meant: of several, or where nothing of it is shown
    const sentence = ({ item, message, isShown }) => (handled > 1 || !isShown ? labelled(texts, item.name, message) : message);
    problem.textContent = refusals = refused.map(sentence).join("\n");
    publishPhoto(root, { busy: false });
    const before = visit.get(shownNumber);
    if (cancelled && before) showAgain(before);
  }

  /** Handle one item of the queue until it is answered, refused or cancelled. Resolves to "" or to an error message. */
  async function handle(item) {
    handled += 1;
    stage.showQueue(queue.length);
    inProgress = new AbortController();
    isPassedOn = false;
    const { signal } = inProgress;
    drawProgress();
    writeToTab("unanswered", [item, ...queue].map(({ name }) => name));
    const cancelled = new Promise((resolve) => signal.addEventListener("abort", () => resolve("")));
    const message = await Promise.race([predict(item, signal), cancelled]);
    if (document.body.dataset.session !== "lost") writeToTab("unanswered", queue.map(({ name }) => name));
    if (!signal.aborted && !message) keepShown(stageNumber);
    status.textContent = signal.aborted ? texts.cancelled : message ? "" : texts.done;
    return message;
  }

  /** Show, while a photo is on its way, what it waits for. */
  function drawProgress() {
    wasConnected ||= isConnected(model);
    if (!inProgress) return stage.setProgress("");
    const isOffline = document.body.dataset.session === "offline" || (wasConnected && !isConnected(model));
    const isSending = isPassedOn && document.body.dataset.kernelStatus === "idle"; // the kernel has not received it
    const text = isOffline
      ? texts.waits_for_server
      : !wasConnected
        ? texts.waits_for_page
        : isSending
          ? texts.sending
          : texts.predicting;
    stage.setProgress(text);
    if (status.textContent !== text) status.textContent = text;
  }

  /** Cancel the photo on its way and those that wait, and go back to the photo that was shown before. */
  function cancelAll() {
    queue.length = 0;
    stage.showQueue(0);
    inProgress?.abort();
    if (!visit.get(shownNumber)) show(null);
    stage.focus();
  }

  /** Show an error message below those that are shown already. */
  function report(message) {
    problem.textContent = [problem.textContent, message].filter(Boolean).join("\n");
  }

  function keepShown(number) {
    shownNumber = number;
    writeToTab("shown", number);
  }

  /** Show a photo that was chosen from the list. */
  function choose(photo) {
    if (problem.textContent === refusals) problem.textContent = "";
    showAgain(photo);
  }

  async function showAgain(photo) {
    if (inProgress) return;
    show(photo);
    const message = await request(model, { action: "show", number: photo.number }, [visit.missingPicture(photo)]);
    report(message);
    if (message || stageNumber !== photo.number) return;
    photo.restored = false;
    keepShown(photo.number);
  }

  /** Show what an earlier page of this tab kept, and tell the kernel of this page about it. */
  async function restore() {
    const names = readFromTab("unanswered", []).filter((name) => typeof name === "string");
    problem.textContent = names.map((name) => texts.unanswered.replace("{name}", () => name)).join("\n");
    const photos = visit.answered();
    if (!photos.length) return;
    const shown = visit.get(shownNumber) ?? photos.at(-1);
    keepShown(shown.number);
    show(shown);
    const fields = photos.map(({ number, name, saved }) => ({ number, name, saved }));
    const pictures = photos.map((photo) => (photo === shown ? visit.missingPicture(photo) : new Uint8Array()));
    const message = await request(model, { action: "restore", number: shown.number, photos: fields }, pictures);
    report(message);
    if (message === texts.lost) return; // the next page tries again
    shown.restored = false;
    for (const photo of photos) {
      if (model.get("answer_kinds")[photo.number]) continue;
      visit.remove(photo);
      const { receipt } = photo.saved; // what was kept by another version of the app, or changed by somebody
      if (receipt && typeof receipt === "string") report(labelled(texts, photo.name, `${texts.its_receipt} ${receipt}`));
    }
    list.draw();
    if (!inProgress) status.textContent = texts.restored;
  }

  /** Forget all photos, and begin anew. */
  function clear() {
    if (inProgress) cancelAll();
    forgetVisit();
    visit.clear();
    keepShown(0);
    show(null);
    problem.textContent = status.textContent = "";
    request(model, { action: "start_over" }).then(report);
    stage.focus();
  }

  model.on("change:answer_kinds change:saved_photos", () => {
    visit.update();
    list.draw();
    if (!inProgress && visit.get(stageNumber)?.kind) keepShown(stageNumber); // an answer that came late
  });
  model.on("change:explanation", stage.map.draw);
  for (const event of PROGRESS_EVENTS) document.addEventListener(event, drawProgress);
  const unwatch = watchSources({
    root,
    zone: stage.zone,
    input,
    take,
    mostFiles: model.get("limits").files,
    explain: (name) => {
      if (!inProgress) problem.textContent = texts[name];
    },
  });
  show(null);
  restore();
  return () => {
    unwatch();
    for (const event of PROGRESS_EVENTS) document.removeEventListener(event, drawProgress);
    samples.dispose();
    for (const { address } of visit.all()) if (address?.startsWith("blob:")) URL.revokeObjectURL(address);
  };
}

export default { render };
