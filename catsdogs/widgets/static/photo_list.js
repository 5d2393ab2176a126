// The photos of this session, each with its answer.

/**
 * Create the list of the photos that `photos()` returns; a click calls `select(photo)`.
 * `shownNumber()` is the number of the photo shown. Returns { element, draw }.
 */
function photoList(model, photos, shownNumber, select) {
  const texts = model.get("texts");
  const element = make("ol", { class: "cd-photo-list", "aria-label": texts.photos, hidden: true });
  const entries = new Map(); // number of the photo -> { row, update }

  function entry(photo) {
    const button = make("button", { type: "button", onclick: () => select(photo) });
    let drawn = "";
    function update(answer) {
      if (photo.number === shownNumber()) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      if (drawn === answer) return;
      drawn = answer;
      button.setAttribute("aria-label", `${photo.name}: ${texts[answer]}`);
      button.replaceChildren(photo.address ? make("img", { src: photo.address, alt: "" }) : icon("photo"), icon(answer));
    }
    return { row: make("li", {}, button), update };
  }

  /** Update the entries in place: a button that is created again would lose the keyboard focus. */
  function draw() {
    const answers = model.get("answer_kinds");
    const answered = photos().filter(({ number }) => answers[number]);
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
      entries.get(photo.number).update(answers[photo.number]);
    }
    element.hidden = answered.length < 2;
  }
  return { element, draw };
}
