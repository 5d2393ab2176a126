// The area that shows the photo, takes dropped files, and shows progress.

/** Create the file input. On a phone the browser offers the camera, too. */
function fileInput(texts) {
  return make("input", {
    type: "file",
    multiple: true,
    accept: "image/*,.heic,.heif,.tif,.tiff",
    class: "cd-hidden",
    "aria-label": texts.choose,
  });
}

/**
 * Create the drop zone around `input`, the map of activations over the photo, the caption and the progress overlay.
 * `shownNumber()` is the number of the photo shown; `cancel()` is called by the button of the overlay.
 * Returns { elements, zone, map, showPhoto, showQueue, setProgress }.
 */
function photoStage(model, root, input, shownNumber, cancel) {
  const texts = model.get("texts");
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
  const overlay = make(
    "div",
    { class: "cd-overlay", hidden: true },
    make("span", { class: "cd-ring" }),
    make("span", {}, texts.predicting, waiting),
    quietButton({ onclick: cancel }, texts.cancel),
  );
  const name = make("span", { class: "cd-name" });
  const another = quietButton({ onclick: () => input.click() }, texts.another);
  const map = activationMap(model, root, picture, shownNumber);
  const zone = make("label", { class: "cd-drop" }, input, invitation, picture, map.canvas, blank);
  const caption = make("div", { class: "cd-caption", hidden: true }, name, map.button, another);

  /** Show a photo with its name, or the invitation to choose one where `photo` is null. */
  function showPhoto(photo) {
    picture.hidden = !photo?.address;
    blank.hidden = !photo || Boolean(photo.address);
    if (photo?.address) picture.src = photo.address;
    picture.alt = name.textContent = name.title = photo?.name ?? "";
    invitation.hidden = Boolean(photo);
    caption.hidden = !photo;
    root.classList.toggle("cd-filled", Boolean(photo));
    map.draw();
  }

  /** Show how many photos wait behind the one in progress. */
  function showQueue(length) {
    waiting.textContent = length ? texts.waiting.replace("{n}", length) : "";
  }

  /** Show or hide the overlay of a prediction in progress. */
  function setProgress(active) {
    overlay.hidden = !active;
  }

  return { elements: [make("div", { class: "cd-stage" }, zone, overlay), caption, map.legend], zone, map, showPhoto, showQueue, setProgress };
}
