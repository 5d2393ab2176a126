// Draws the widgets that work before the kernel is ready, with their own scripts, which are joined before this one.

const SCRIPTS = { page_header: await page_header(), photo_input: await photo_input() };
const STATES = JSON.parse(document.getElementById("preload-states").textContent);

/**
 * Return a model for a widget that keeps what is sent until the real model is attached, then passes on everything in order.
 */
function createPlaceholderModel(state) {
  let realModel = null;
  let listeners = [];
  let queue = [];

  /** Remove a photo's messages from the queue, and reply to them at once. */
  function discard(number) {
    const removed = queue.filter(([content]) => content.number === number);
    queue = queue.filter((message) => !removed.includes(message));
    for (const [{ id }] of removed) {
      for (const [event, listener] of listeners) if (event === "msg:custom") listener({ reply: id, problem: "" });
    }
  }

  return {
    get: (name) => (realModel ? realModel.get(name) : state[name]),
    on(event, listener) {
      listeners.push([event, listener]);
      realModel?.on(event, listener);
    },
    off(event, listener) {
      listeners = listeners.filter((pair) => pair[0] !== event || pair[1] !== listener);
      realModel?.off(event, listener);
    },
    send(...message) {
      if (realModel) return realModel.send(...message);
      queue.push(message);
      if (message[0].action === "discard") discard(message[0].number);
    },
    attach(model) {
      realModel = model;
      for (const [event, listener] of listeners) model.on(event, listener);
      for (const message of queue) model.send(...message);
    },
  };
}

const container = document.getElementById("preload");
for (const element of container.querySelectorAll("[data-widget]")) {
  const model = createPlaceholderModel(STATES[element.dataset.widget]);
  element.dispose = SCRIPTS[element.dataset.widget].render({ model, el: element });
  element.placeholderModel = model;
}

// A notebook that failed has no widgets: what it printed is shown instead of these widgets.
document.addEventListener("DOMContentLoaded", () => {
  const outputs = [...document.querySelectorAll('#rendered_cells script[type="application/vnd.voila.cell-output+json"]')];
  if (outputs.length && !outputs.some((output) => output.textContent.includes("widget-view+json"))) container.remove();
});
