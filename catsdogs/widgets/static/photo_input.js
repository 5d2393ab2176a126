function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "photo");

  const input = make("input", {
    type: "file",
    multiple: true,
    accept: "image/*,.heic,.heif,.tif,.tiff", // on a phone, the camera is offered, too
    class: "cd-hidden",
    "aria-label": texts.choose,
  });
  const title = make("span", { class: "cd-button" }, texts.choose);
  const invitation = make(
    "span",
    { class: "cd-invitation" },
    icon("photo"),
    title,
    make("span", { class: "cd-drop-hint" }, texts.or_drop),
    make("span", { class: "cd-muted" }, texts.hint),
  );
  const picture = make("img", { class: "cd-picture", hidden: true, alt: "" });
  const blank = make("span", { class: "cd-blank", hidden: true }, icon("photo"), texts.no_preview);
  const waiting = make("span", { class: "cd-waiting" });
  const veil = make("span", { class: "cd-veil", hidden: true }, make("span", { class: "cd-ring" }), make("span", {}, texts.looking, waiting));
  const zone = make("label", { class: "cd-drop" }, input, invitation, picture, blank, veil);
  const name = make("span", { class: "cd-name" });
  const another = make("button", { type: "button", class: "cd-button cd-quiet", onclick: () => input.click() }, texts.another);
  const caption = make("div", { class: "cd-caption", hidden: true }, name, another);
  const problem = make("p", { class: "cd-problem", role: "alert" });
  const news = make("p", { class: "cd-hidden", role: "status" });
  const visit = make("ol", { class: "cd-visit", "aria-label": texts.visit, hidden: true });
  root.append(zone, caption, problem, news, visit);

  const brought = new Map(); // number of the photo -> { number, name, address of its picture or null }
  const queue = [];
  let last = 0;

  function show(photo) {
    picture.hidden = !photo.address;
    blank.hidden = Boolean(photo.address);
    if (photo.address) picture.src = photo.address;
    picture.alt = photo.name;
    name.textContent = photo.name;
    name.title = photo.name;
    root.dataset.number = photo.number;
    drawVisit();
    invitation.hidden = true;
    caption.hidden = false;
    root.classList.add("cd-filled");
  }

  /** Give the sentence that refuses a file before it is looked at, or "". */
  function refusal(file) {
    if (file.size === 0) return texts.empty;
    if (file.type && !file.type.startsWith("image/")) return texts.not_photo;
    return "";
  }

  async function bring(file) {
    problem.textContent = refusal(file);
    if (problem.textContent) return;
    news.textContent = texts.looking;
    try {
      const { blob, preview } = await prepare(file);
      const photo = { number: (last += 1), name: file.name, address: preview && URL.createObjectURL(preview) };
      brought.set(photo.number, photo);
      show(photo);
      problem.textContent =
        blob.size > model.get("max_bytes")
          ? texts.too_large
          : await ask(model, { number: photo.number, name: file.name }, [await blob.arrayBuffer()]);
    } catch (error) {
      console.error(error); // the file vanished, or may not be read
      problem.textContent = texts.unreadable;
    }
    news.textContent = problem.textContent ? "" : texts.done;
  }

  /** One after the other: an answer belongs to the photo that is shown. */
  async function take(files) {
    queue.push(...files);
    drawQueue();
    if (root.hasAttribute("aria-busy") || queue.length === 0) return;
    root.setAttribute("aria-busy", "true");
    const refused = [];
    while (queue.length) {
      const file = queue.shift();
      drawQueue();
      veil.hidden = false;
      await bring(file);
      if (problem.textContent) refused.push(`${file.name}: ${problem.textContent}`);
    }
    // named where it is not plain which is meant: of several, or beside the answer for the photo before
    if (refused.length && (files.length > 1 || refusal(files[0]))) problem.textContent = refused.join("\n");
    veil.hidden = true;
    root.removeAttribute("aria-busy");
  }

  function drawQueue() {
    waiting.textContent = queue.length ? texts.waiting.replace("{n}", queue.length) : "";
  }

  /** The earlier photos, each with its answer; a touch shows one again. */
  function drawVisit() {
    const answers = model.get("answered");
    const photos = [...brought.values()].filter(({ number }) => answers[number]);
    visit.hidden = photos.length < 2;
    visit.replaceChildren(
      ...photos.map((photo) => {
        const answer = answers[photo.number];
        const button = make(
          "button",
          {
            type: "button",
            "aria-label": `${photo.name}: ${texts[answer]}`,
            "aria-current": photo.number === Number(root.dataset.number) && "true",
            async onclick() {
              if (root.hasAttribute("aria-busy")) return;
              problem.textContent = await ask(model, { number: photo.number });
              if (!problem.textContent) show(photo);
            },
          },
          photo.address ? make("img", { src: photo.address, alt: "" }) : icon("photo"),
          icon(answer),
        );
        return make("li", {}, button);
      }),
    );
  }
  model.on("change:answered", drawVisit);

  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // choosing the same file again is a change, too
  });

  // In Voilà the whole page takes photos; in JupyterLab only this part, the rest belongs to others.
  const area = document.body.hasAttribute("data-voila") ? document : root;
  const listeners = {
    dragover(event) {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      zone.classList.add("cd-over");
    },
    dragleave(event) {
      if (!event.relatedTarget || !area.contains(event.relatedTarget)) zone.classList.remove("cd-over");
    },
    drop(event) {
      zone.classList.remove("cd-over");
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      const folder = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
      if (folder && !root.hasAttribute("aria-busy")) problem.textContent = texts.folder;
      else take([...event.dataTransfer.files]);
    },
    paste(event) {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) event.preventDefault();
      take(files);
    },
  };
  for (const [event, listener] of Object.entries(listeners)) area.addEventListener(event, listener);

  return () => {
    for (const [event, listener] of Object.entries(listeners)) area.removeEventListener(event, listener);
    for (const { address } of brought.values()) if (address) URL.revokeObjectURL(address);
  };
}

export default { render };
