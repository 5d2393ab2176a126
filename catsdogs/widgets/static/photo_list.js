// The photos of this visit that have an answer.

/**
 * Create the list of the photos that `answeredPhotos()` returns; a click calls `select(photo)`.
 * `shownNumber()` is the number of the photo shown. Returns { element, draw }.
 */
function photoList(model, answeredPhotos, shownNumber, select) {
  const texts = model.get("texts");
  const element = make("ol", { class: "cd-photo-list", "aria-label": texts.photos, hidden: true });
  const entries = new Map(); // number of the photo -> { row, update }
  let inView = 0; // number of the photo that the list was scrolled to

  function entry(photo) {
    const button = make("button", { type: "button", onclick: () => select(photo) });
    let drawn = "";
    function update() {
      if (photo.number === shownNumber()) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      if (drawn === photo.kind) return;
      drawn = photo.kind;
      button.setAttribute("aria-label", labelled(texts, photo.name, texts[photo.kind]));
      button.replaceChildren(photo.address ? make("img", { src: photo.address, alt: "" }) : icon("photo"), icon(photo.kind));
    }
    return { row: make("li", {}, button), update };
  }

  /** Update the entries in place: a button that is created again would lose the keyboard focus. */
  function draw() {
    const answered = answeredPhotos();
    for (const [number, { row }] of entries) {
      if (answered.some((photo) => photo.number === number)) continue;
      row.remove();
      entries.delete(number);
    }
    for (const photo of answered) {
      if (!entries.has(photo.number)) {
        entries.set(photo.number, entry(photo));
        element.append(entries.get(photo.number).row);
      }
      entries.get(photo.number).update();
    }
    element.hidden = answered.length === 0;
    scrollToShown();
  }

  /** Scroll the list, where it is one line on a phone, to a photo that is shown from now on. */
  function scrollToShown() {
    const [list, entry] = [element, entries.get(shownNumber())?.row].map((one) => one?.getBoundingClientRect());
    if (!entry?.width || inView === shownNumber()) return;
    inView = shownNumber();
    element.scrollLeft += entry.left + entry.width / 2 - (list.left + list.width / 2);
  }
  return { element, draw };
}
