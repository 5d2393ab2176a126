// Widgets that the page draws before the kernel runs, with the same scripts (see preload.js).

/**
 * Move what the page has drawn for the widget `name` into `el`, in the state in which the person left it.
 * Returns the function that ends the widget, or null where the page has drawn nothing: then the widget is still to be drawn.
 */
function adoptPreloaded(model, el, name) {
  const preloaded = document.querySelector(`#preload [data-widget="${name}"]`);
  if (!preloaded?.placeholderModel) return null;
  const { placeholderModel, dispose } = preloaded;
  delete preloaded.placeholderModel;
  placeholderModel.attach(model);
  el.classList.add("cd-host");

  const move = () => {
    // widgets are drawn first and put into the page later; until all of them are visible, the page stays as it is
    if (!el.closest("#rendered_cells")?.getClientRects().length) return requestAnimationFrame(move);
    const focused = document.activeElement;
    for (const child of [...preloaded.childNodes]) {
      if (el.moveBefore) el.moveBefore(child, null); // keeps animations running
      else el.append(child);
    }
    document.getElementById("preload").remove();
    if (el.contains(focused)) focused.focus({ preventScroll: true });
    document.dispatchEvent(new Event(PHOTO_EVENT)); // the forms of the app may have been drawn before
  };
  requestAnimationFrame(move);
  return dispose;
}
