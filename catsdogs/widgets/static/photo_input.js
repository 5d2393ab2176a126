function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "photo");

  const input = make("input", {
    type: "file",
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
  const veil = make("span", { class: "cd-veil", hidden: true }, make("span", { class: "cd-ring" }), texts.looking);
  const zone = make("label", { class: "cd-drop" }, input, invitation, picture, blank, veil);
  const name = make("span", { class: "cd-name" });
  const another = make("button", { type: "button", class: "cd-button cd-quiet", onclick: () => input.click() }, texts.another);
  const caption = make("div", { class: "cd-caption", hidden: true }, name, another);
  const problem = make("p", { class: "cd-problem", role: "alert" });
  const news = make("p", { class: "cd-hidden", role: "status" });
  root.append(zone, caption, problem, news);

  let shown = null;
  let waiting = Promise.resolve();

  function show(file, preview) {
    if (shown) URL.revokeObjectURL(shown);
    shown = preview && URL.createObjectURL(preview);
    picture.hidden = !shown;
    blank.hidden = Boolean(shown);
    if (shown) picture.src = shown;
    picture.alt = file.name;
    name.textContent = file.name;
    name.title = file.name;
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
    veil.hidden = false;
    root.setAttribute("aria-busy", "true");
    try {
      const { blob, preview } = await prepare(file);
      show(file, preview);
      problem.textContent =
        blob.size > model.get("max_bytes")
          ? texts.too_large
          : await ask(model, { name: file.name }, [await blob.arrayBuffer()]);
    } catch (error) {
      console.error(error); // the file vanished, or may not be read
      problem.textContent = texts.unreadable;
    } finally {
      veil.hidden = true;
      root.removeAttribute("aria-busy");
      news.textContent = problem.textContent ? "" : texts.done;
    }
  }

  /** One after the other: an answer belongs to the photo that is shown. */
  function take(files) {
    if (files.length === 0) return;
    waiting = waiting.then(() => bring(files[0])).then(() => {
      if (files.length > 1 && !problem.textContent) problem.textContent = texts.one;
    });
  }

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
      if (folder) problem.textContent = texts.folder;
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
    if (shown) URL.revokeObjectURL(shown);
  };
}

export default { render };
