// A page may draw a part before its kernel is there, with this same script: then the part is there already.

/**
 * Take over what the page drew in a part's stead, with all that a person did there meanwhile.
 * Gives what ends it, or null where the page drew nothing: then the part is still to be drawn.
 */
function takeOver(model, place, name) {
  const early = document.querySelector(`#early [data-part="${name}"]`);
  if (!early?.standIn) return null;
  const { standIn, dispose } = early;
  delete early.standIn;
  standIn.become(model);
  place.classList.add("cd-place");

  const move = () => {
    // widgets are drawn first, and put into the page later; until all is to be seen, the page stays as it is
    if (!place.closest("#rendered_cells")?.getClientRects().length) return requestAnimationFrame(move);
    const focused = document.activeElement;
    for (const child of [...early.childNodes]) {
      if (place.moveBefore) place.moveBefore(child, null); // what moves goes on moving
      else place.append(child);
    }
    document.getElementById("early").remove();
    if (place.contains(focused)) focused.focus({ preventScroll: true });
  };
  requestAnimationFrame(move);
  return dispose;
}
