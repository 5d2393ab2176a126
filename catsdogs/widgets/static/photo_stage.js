// The area that shows the photo, takes dropped files, and shows progress.

/** Create the file input; `input.takePhoto()` opens the camera instead of the files, where the device has one. */
function fileInput(texts) {
  const input = make("input", {
    type: "file",
    multiple: true,
    accept: "image/*,.heic,.heif,.avif,.tif,.tiff",
    class: "cd-hidden",
    "aria-label": texts.choose,
  });
  let useCamera = false;
  input.addEventListener("click", () => {
    if (useCamera) input.setAttribute("capture", "environment");
    else input.removeAttribute("capture");
    useCamera = false;
  });
  input.takePhoto = () => {
    useCamera = true;
    input.click();
  };
  return input;
}

/**
 * Create the dialog that shows a photo as large as the window, with its map if that is shown. Escape, its button or any
 * click closes it, and the browser gives the focus back. Returns { dialog, open }.
 */
function photoViewer(texts) {
  const photo = make("div", { class: "cd-viewer-photo" });
  const close = quietButton({ class: "cd-button cd-quiet cd-viewer-close" }, texts.close);
  const dialog = make("dialog", { class: "cd-viewer", onclick: () => dialog.close() }, close, photo);

  function open(picture, map) {
    const copy = make("canvas", { class: "cd-map", "aria-hidden": "true", width: map.width, height: map.height, hidden: map.hidden });
    if (!map.hidden) copy.getContext("2d").drawImage(map, 0, 0);
    photo.replaceChildren(make("img", { src: picture.src, alt: picture.alt, class: picture.className }), copy);
    dialog.setAttribute("aria-label", picture.alt);
    dialog.showModal();
  }
  return { dialog, open };
}

/**
 * Create the drop zone around `input`, the map of activations over the photo, the caption and the progress overlay.
 * `shownNumber()` is the number of the photo shown; `cancel()` is called by the button of the overlay.
 * Returns { elements, zone, map, showPhoto, showQueue, setProgress, focus }.
 */
function photoStage(model, root, input, shownNumber, cancel) {
  const texts = model.get("texts");
  const invitation = make(
    "label",
    { class: "cd-invitation" },
    input,
    icon("photo"),
    make("span", { class: "cd-button" }, texts.choose),
    make("span", { class: "cd-drop-hint" }, texts.or_drop),
    make("span", { class: "cd-muted" }, texts.hint),
  );
  const picture = make("img", { class: "cd-picture", hidden: true, alt: "" });
  const blank = make("span", { class: "cd-blank", hidden: true }, icon("photo"), texts.no_preview);
  const state = make("span", {});
  const waiting = make("span", { class: "cd-waiting" });
  const overlay = make(
    "div",
    { class: "cd-overlay", hidden: true },
    make(
      "div",
      { class: "cd-progress" },
      make("span", { class: "cd-ring" }),
      make("span", {}, state, waiting),
      quietButton({ onclick: cancel }, texts.cancel),
    ),
  );
  const name = make("span", { class: "cd-name" });
  const another = quietButton({ onclick: () => input.click() }, texts.another);
  const cameraButton = () => quietButton({ class: "cd-button cd-quiet cd-camera", onclick: input.takePhoto }, texts.take);
  const map = activationMap(model, root, picture, shownNumber);
  const viewer = photoViewer(texts);
  const enlarge = make(
    "button",
    { type: "button", class: "cd-enlarge", hidden: true, onclick: () => viewer.open(picture, map.canvas) },
    picture,
    map.canvas,
    icon("enlarge"),
    make("span", { class: "cd-hidden" }, texts.enlarge),
  );
  picture.addEventListener("error", () => {
    picture.hidden = enlarge.hidden = true;
    blank.hidden = false;
  });
  const firstCamera = cameraButton();
  const zone = make("div", { class: "cd-drop" }, invitation, firstCamera, enlarge, blank);
  const caption = make("div", { class: "cd-caption", hidden: true }, name, map.button, another, cameraButton());

  /** Show a photo with its name, or the invitation to choose one where `photo` is null. */
  function showPhoto(photo) {
    viewer.dialog.close();
    picture.hidden = enlarge.hidden = !photo?.address;
    blank.hidden = !photo || Boolean(photo.address);
    if (photo?.address) picture.src = photo.address;
    picture.alt = name.textContent = name.title = photo?.name ?? "";
    invitation.hidden = firstCamera.hidden = Boolean(photo);
    caption.hidden = !photo;
    root.classList.toggle("cd-filled", Boolean(photo));
    map.draw();
  }

  /** Show how many photos wait behind the one in progress. */
  function showQueue(length) {
    waiting.textContent = length ? texts.waiting.replace("{n}", length) : "";
  }

  /** Show what the photo on its way waits for; "" where none is. */
  function setProgress(text) {
    overlay.hidden = !text;
    state.textContent = text;
  }

  /** Focus what chooses a photo. */
  function focus() {
    (invitation.hidden ? another : input).focus();
  }

  const stage = make("div", { class: "cd-stage" }, zone, overlay);
  return { elements: [stage, caption, map.legend, viewer.dialog], zone, map, showPhoto, showQueue, setProgress, focus };
}
