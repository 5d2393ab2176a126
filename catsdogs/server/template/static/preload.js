// Draws the widgets that work before the kernel is ready, with their own scripts, which are joined before this one.

const SCRIPTS = { page_header: await page_header(), photo_input: await photo_input() };
const STATES = JSON.parse(document.getElementById("preload-states").textContent);

/**
 * Return a model for a widget of which only the first state is known. Messages wait until the real model is attached
 * (see `request` in base.js).
 */
function createPlaceholderModel(state) {
  let realModel = null;
  let listeners = [];

  return {
    get isPlaceholder() {
      return !realModel;
    },
    get: (name) => (realModel ? realModel.get(name) : state[name]),
    on(event, listener) {
      listeners.push([event, listener]);
      realModel?.on(event, listener);
    },
    off(event, listener) {
      listeners = listeners.filter((pair) => pair[0] !== event || pair[1] !== listener);
      realModel?.off(event, listener);
    },
    send: (...message) => realModel.send(...message),
    attach(model) {
      realModel = model;
      for (const [event, listener] of listeners) model.on(event, listener);
      document.dispatchEvent(new Event("catsdogs:connection"));
    },
  };
}

const container = document.getElementById("preload");
for (const element of container.querySelectorAll("[data-widget]")) {
  const model = createPlaceholderModel(STATES[element.dataset.widget]);
  element.dispose = SCRIPTS[element.dataset.widget].render({ model, el: element });
  element.placeholderModel = model;
}
