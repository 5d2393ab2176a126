// Draws the parts of an app that can be used before its kernel is there, with their own scripts.
import pageHeader from "./page_header.js";
import photoInput from "./photo_input.js";

const SCRIPTS = { page_header: pageHeader, photo_input: photoInput };
const STATES = JSON.parse(document.getElementById("preload-states").textContent);

/** Stand in for a part's model until that comes; then hand on to it, in order, what was sent, and all that follows. */
function createPlaceholderModel(state) {
  let real = null;
  let listeners = [];
  let waiting = [];

  /** What has not left yet need not be taken back: say at once that it is done. */
  function forget(number) {
    const left = waiting.filter(([content]) => content.number === number);
    waiting = waiting.filter((message) => !left.includes(message));
    for (const [{ id }] of left) {
      for (const [event, listener] of listeners) if (event === "msg:custom") listener({ reply: id, problem: "" });
    }
  }

  return {
    get: (name) => (real ? real.get(name) : state[name]),
    on(event, listener) {
      listeners.push([event, listener]);
      real?.on(event, listener);
    },
    off(event, listener) {
      listeners = listeners.filter((one) => one[0] !== event || one[1] !== listener);
      real?.off(event, listener);
    },
    send(...message) {
      if (real) return real.send(...message);
      waiting.push(message);
      if (message[0].action === "discard") forget(message[0].number);
    },
    attach(model) {
      real = model;
      for (const [event, listener] of listeners) model.on(event, listener);
      for (const message of waiting) model.send(...message);
    },
  };
}

const shell = document.getElementById("preload");
for (const place of shell.querySelectorAll("[data-part]")) {
  const model = createPlaceholderModel(STATES[place.dataset.part]);
  place.dispose = SCRIPTS[place.dataset.part].render({ model, el: place });
  place.placeholderModel = model;
}

// a notebook that failed says so in the page
document.addEventListener("DOMContentLoaded", () => {
  const outputs = [...document.querySelectorAll('#rendered_cells script[type="application/vnd.voila.cell-output+json"]')];
  if (outputs.length && !outputs.some((output) => output.textContent.includes("widget-view+json"))) shell.remove();
});
