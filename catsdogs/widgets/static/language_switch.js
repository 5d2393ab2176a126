// What the page in one language leaves for the page in the other. It is stored in this browser tab only, from the
// moment when the first page is left until the second one reads it.

const MAX_AGE_MS = 300_000; // older values are ignored: the page in the other language did not open
const storageKey = (name) => `catsdogs-${name}`;

/** Read and delete the list that the page in the other language stored under a name; often empty. */
function takeFromOtherLanguage(name) {
  try {
    const text = sessionStorage.getItem(storageKey(name));
    sessionStorage.removeItem(storageKey(name));
    const { storedAt, values } = JSON.parse(text) ?? {};
    return Date.now() - storedAt < MAX_AGE_MS ? values : [];
  } catch {
    return []; // the browser does not let pages store anything
  }
}

/** Store the list that `values()` returns when the person changes the language. Returns a function that stops this. */
function keepForOtherLanguage(name, values) {
  const store = () => {
    const list = values();
    if (list.length) sessionStorage.setItem(storageKey(name), JSON.stringify({ storedAt: Date.now(), values: list }));
  };
  document.addEventListener("catsdogs:language", store);
  return () => document.removeEventListener("catsdogs:language", store);
}
