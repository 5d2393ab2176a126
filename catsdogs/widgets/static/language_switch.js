// What goes with a person to the page in another language. This tab alone holds it, between the two pages: it is put
// there when the one is left, and taken out when the other comes.

const MOMENT_MS = 300_000; // the longest that it may lie there, where the page in the other language did not come
const shelf = (name) => `catsdogs-${name}`;

/** Take what the page before left under this name: a list, often empty. */
function carriedOver(name) {
  try {
    const text = sessionStorage.getItem(shelf(name));
    sessionStorage.removeItem(shelf(name));
    const { left, what } = JSON.parse(text) ?? {};
    return Date.now() - left < MOMENT_MS ? what : [];
  } catch {
    return []; // the browser keeps nothing for pages
  }
}

/** Leave the list that `give()` gives for the page in another language, when the person goes there. Gives what ends it. */
function carryOver(name, give) {
  const leave = () => {
    const what = give();
    if (what.length) sessionStorage.setItem(shelf(name), JSON.stringify({ left: Date.now(), what }));
  };
  document.addEventListener("catsdogs:language", leave);
  return () => document.removeEventListener("catsdogs:language", leave);
}
