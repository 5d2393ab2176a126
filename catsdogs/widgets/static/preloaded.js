// A page may draw a part before its kernel is there, with this same script: then the part is there already.

/**
 * Take over what the page drew in a part's stead, with all that a person did there meanwhile.
 * Gives what ends it, or null where the page drew nothing: then the part is still to be drawn.
 */
function takeOver(model, place, name) {
  const preloaded = document.querySelector(`#preload [data-part="${name}"]`);
  if (!preloaded?.placeholderModel) return null;
  const { placeholderModel, dispose } = preloaded;
  delete preloaded.placeholderModel;
  placeholderModel.attach(model);
  place.classList.add("cd-place");

  const move = () => {
    // widgets are drawn first, and put into the page later; until all is to be seen, the page stays as it is
    if (!place.closest("#rendered_cells")?.getClientRects().length) return requestAnimationFrame(move);
    const focused = document.activeElement;
    for (const child of [...preloaded.childNodes]) {
      if (place.moveBefore) place.moveBefore(child, null); // what moves goes on moving
      else place.append(child);
    }
    document.getElementById("preload").remove();
    if (place.contains(focused)) focused.focus({ preventScroll: true });
  };
  requestAnimationFrame(move);
  return dispose;
}
