// Which photo the page shows, and whether another one is on its way: the photo input says it, the forms about a photo ask.

const PHOTO_EVENT = "catsdogs:photo"; // at the photo input, after each change

/** Say the number of the photo shown (0: none), or whether a photo is on its way; `input` is the root of the photo input. */
function publishPhoto(input, { shown, busy }) {
  if (shown !== undefined) input.dataset.shown = shown;
  if (busy) input.setAttribute("aria-busy", "true");
  else if (busy === false) input.removeAttribute("aria-busy");
  input.dispatchEvent(new Event(PHOTO_EVENT, { bubbles: true }));
}

/** Find the photo input of the app that `element` is a part of; undefined before it is put into the page. */
function photoInputOf(element) {
  return element.closest(".catsdogs-app")?.querySelector(".cd-photo");
}

/** Call `listener` after each change of the photo shown. Returns a function that stops this. */
function onPhotoShown(listener) {
  document.addEventListener(PHOTO_EVENT, listener);
  return () => document.removeEventListener(PHOTO_EVENT, listener);
}
