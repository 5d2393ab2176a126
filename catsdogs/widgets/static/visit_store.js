// What this browser tab keeps of a visit, so that it survives a reload, another language, a link and the way back.
// It never leaves the tab, and ends with it or with `forgetVisit`. Two tabs know nothing of each other.
// A browser that lets pages store nothing, and a value that another program stored, are like an empty tab. The body has
// `data-not-kept`, with the names of what could not be stored: then the page asks before it is left in any way (session.js).

const VISIT_KEY = "catsdogs-visit-"; // begins all names in the tab's storage
const PICTURE_KEY = `${VISIT_KEY}picture-`; // before the number of a photo

/** Read what a page of this tab stored under a name, or `fallback` where that is missing or not of the same kind. */
function readFromTab(name, fallback) {
  try {
    const value = JSON.parse(sessionStorage.getItem(VISIT_KEY + name));
    const kind = (one) => (Array.isArray(one) ? "array" : one === null ? "null" : typeof one);
    return kind(value) === kind(fallback) ? value : fallback;
  } catch {
    return fallback;
  }
}

/** Store a value that JSON can hold under a name. Where the tab has no room left, the pictures of the oldest photos go. */
function writeToTab(name, value) {
  if (!inVoila()) return;
  const isKept = storeInTab(VISIT_KEY + name, JSON.stringify(value), () => true);
  const others = (document.body.dataset.notKept ?? "").split(" ").filter((one) => one && one !== name);
  const notKept = isKept ? others : [...others, name];
  if (notKept.length) document.body.dataset.notKept = notKept.join(" ");
  else delete document.body.dataset.notKept;
}

/** Read the small picture of a photo as a data URL; null where there is none. */
function readPicture(number) {
  try {
    const picture = sessionStorage.getItem(PICTURE_KEY + number);
    return picture?.startsWith("data:image/") ? picture : null;
  } catch {
    return null;
  }
}

/** Store the small picture of a photo, a data URL, unless only pictures of later photos could make room for it. */
function writePicture(number, address) {
  if (inVoila()) storeInTab(PICTURE_KEY + number, address, (other) => other < number);
}

/** Delete the small picture of a photo. */
function removePicture(number) {
  try {
    sessionStorage.removeItem(PICTURE_KEY + number);
  } catch {} // nothing is stored either
}

/** Store a text. While there is no room, delete the oldest picture for whose number `mayDelete(number)` is true. */
function storeInTab(key, text, mayDelete) {
  for (;;) {
    try {
      sessionStorage.setItem(key, text);
      return true;
    } catch {
      const [oldest] = pictureNumbers().filter((number) => key !== PICTURE_KEY + number && mayDelete(number));
      if (oldest === undefined) return false;
      removePicture(oldest);
    }
  }
}

/** List the numbers of the photos whose pictures are stored, the oldest first. */
function pictureNumbers() {
  return visitKeys()
    .filter((key) => key.startsWith(PICTURE_KEY))
    .map((key) => Number(key.slice(PICTURE_KEY.length)))
    .sort((one, other) => one - other);
}

function visitKeys() {
  try {
    return Object.keys(sessionStorage).filter((key) => key.startsWith(VISIT_KEY));
  } catch {
    return [];
  }
}

/** Delete everything that this tab keeps of the visit, and tell all widgets of the page. */
function forgetVisit() {
  for (const key of visitKeys()) sessionStorage.removeItem(key);
  delete document.body.dataset.notKept;
  document.dispatchEvent(new Event("catsdogs:forget"));
}

/** Call `clear` when the person starts over. Returns a function that stops this. */
function onForget(clear) {
  document.addEventListener("catsdogs:forget", clear);
  return () => document.removeEventListener("catsdogs:forget", clear);
}
