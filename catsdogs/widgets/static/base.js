// Helpers that every widget's script begins with.

const SVG = "http://www.w3.org/2000/svg";
const REPLY_TIMEOUT_MS = 70_000; // longer than the kernel waits for the server
const SLOWEST_LINE = 3; // bytes a millisecond: a photo takes a minute to be sent
const LONGEST_SENDING_MS = 600_000;
const CONNECTION_EVENTS = ["catsdogs:connection", "catsdogs:session"];

/** Create an element. Children that are strings become text, never markup; children that are null are left out. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Create the root element of a widget inside `el`, in the widget's language for screen readers. */
function createRoot(model, el, name) {
  const root = make("section", { class: `catsdogs cd-${name}`, lang: model.get("language") });
  el.classList.add("cd-host");
  el.append(root);
  return root;
}

/** Create a button with an outline; `attributes` may replace its class. */
function quietButton(attributes, ...children) {
  return make("button", { type: "button", class: "cd-button cd-quiet", ...attributes }, ...children);
}

/** Create the paragraph that shows why something failed; screen readers read its text out. */
function errorParagraph(attributes = {}) {
  return make("p", { class: "cd-problem", role: "alert", ...attributes });
}

/** Tell whether the page is Voilà's; otherwise it is JupyterLab's, of which the widget is only a part. */
function inVoila() {
  return document.body.hasAttribute("data-voila");
}

/** Tell whether a message would reach the kernel now: it runs, and the page is connected to it (see session.js). */
function isConnected(model) {
  return !model.isPlaceholder && (document.body.dataset.connection || "connected") === "connected";
}

/**
 * Send a message to the kernel, as soon as the page is connected to it. Resolves to "" or to an error message for the
 * person; always resolves. Where the connection is interrupted before the reply, the message is sent again: the kernel
 * handles it once. A message whose `signal` aborts is not sent any more. A reply that comes after the time for it proves
 * that the session was not lost: that message disappears.
 */
function request(model, content, buffers = [], signal = null) {
  return new Promise((resolve) => {
    const id = Math.random().toString(36).slice(2);
    const size = buffers.reduce((total, { byteLength }) => total + byteLength, 0);
    let sent = false;
    let late = false;
    let timer;
    const finish = (problem) => {
      clearTimeout(timer);
      model.off("msg:custom", listen);
      for (const event of CONNECTION_EVENTS) document.removeEventListener(event, update);
      resolve(problem);
    };
    const listen = (message) => {
      if (message.reply !== id) return;
      if (late) replaceProblem(model.get("texts").lost, message.problem);
      finish(message.problem);
    };
    const giveUp = () => {
      late = true;
      resolve(model.get("texts").lost);
    };
    const update = () => {
      if (document.body.dataset.session === "lost") return finish(model.get("texts").lost);
      if (late || (sent && isConnected(model))) return;
      clearTimeout(timer);
      sent = isConnected(model);
      if (!sent) return;
      timer = setTimeout(giveUp, REPLY_TIMEOUT_MS + Math.min(size / SLOWEST_LINE, LONGEST_SENDING_MS));
      model.send({ ...content, id }, undefined, buffers);
    };
    model.on("msg:custom", listen);
    for (const event of CONNECTION_EVENTS) document.addEventListener(event, update);
    signal?.addEventListener("abort", () => finish(""));
    update();
  });
}

/** Join a label and what belongs to it by the colon of the language: French has a space before it. */
function labelled({ labelled }, label, text) {
  return labelled.replace(/{(label|text)}/g, (_, name) => ({ label, text })[name]);
}

/** Show another error message, or none (""), where the page shows this one. */
function replaceProblem(shown, problem) {
  for (const element of document.querySelectorAll(".cd-problem")) {
    const lines = element.textContent.split("\n");
    const corrected = lines.map((line) => (line.includes(shown) ? problem && line.replace(shown, () => problem) : line));
    element.textContent = corrected.filter(Boolean).join("\n");
  }
}

/** Run an asynchronous function while `element` is marked as busy. Does nothing where it is busy already. */
async function whileBusy(element, run) {
  if (element.hasAttribute("aria-busy")) return;
  element.setAttribute("aria-busy", "true"); // not disabled: that would take the keyboard focus away
  await run();
  element.removeAttribute("aria-busy");
}

/** Let the browser save a text as a file. */
function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const ICONS = {
  cat: [
    ["path", { class: "fill", d: "M11 8c5 1 10 5 13 9a30 30 0 0 1 16 0c3-4 8-8 13-9 4 9 4 17 2 24 2 13-9 24-23 24S7 45 9 32c-2-7-2-15 2-24z" }],
    ["path", { class: "ink", d: "M22 31v4M42 31v4" }],
    ["path", { class: "ink", d: "M29 42h6l-3 3zM32 45c0 4-6 5-8 2M32 45c0 4 6 5 8 2" }],
    ["path", { class: "ink thin", d: "M18 42 5 40M18 46 6 49M46 42l13-2M46 46l12 3" }],
  ],
  dog: [
    ["path", { class: "fill", d: "M17 17c3-6 9-9 15-9s12 3 15 9c3 6 4 14 3 21-1 11-9 19-18 19s-17-8-18-19c-1-7 0-15 3-21z" }],
    ["path", { class: "fill ear", d: "M19 12C10 8 4 15 3 26c-1 10 3 17 7 17 5 0 5-8 6-15 1-6 2-11 3-16zM45 12c9-4 15 3 16 14 1 10-3 17-7 17-5 0-5-8-6-15-1-6-2-11-3-16z" }],
    ["path", { class: "ink", d: "M24 28v4M40 28v4" }],
    ["path", { class: "ink nose", d: "M27 38c0-3 10-3 10 0 0 2-3 5-5 5s-5-3-5-5z" }],
    ["path", { class: "ink", d: "M32 43v4c0 3-5 4-7 2M32 47c0 3 5 4 7 2" }],
  ],
  neither: [
    ["circle", { class: "fill", cx: 32, cy: 32, r: 25 }],
    ["path", { class: "ink bold", d: "M21 32h22" }],
  ],
  unsure: [
    ["path", { class: "fill half", d: "M32 7a25 25 0 0 1 0 50z" }],
    ["path", { class: "fill", d: "M32 7a25 25 0 0 0 0 50z" }],
    ["path", { class: "ink halo", d: "M24 25c0-5 4-8 8-8s8 3 8 8c0 6-8 6-8 13M32 46v.5" }],
    ["path", { class: "ink bold", d: "M24 25c0-5 4-8 8-8s8 3 8 8c0 6-8 6-8 13M32 46v.5" }],
  ],
  both: [
    ["path", { class: "fill", d: "M4 20c3 .5 5.500 2.500 7 4.500a16 16 0 0 1 9 0c1.500-2 4-4 7-4.500 2 5 2 9 1 13 1 7-5 13-12.500 13S2 40 3 33c-1-4-1-8 1-13z" }],
    ["path", { class: "fill half", d: "M40 23c1.500-3 4.500-4.500 8-4.500s6.500 1.500 8 4.500c3 0 6 4 6 9s-1.500 8-4 8c-1 5-5 8-10 8s-9-3-10-8c-2.500 0-4-3-4-8s3-9 6-9z" }],
    ["path", { class: "ink small", d: "M10 33v2M21 33v2M14 38h3l-1.500 1.500zM15.500 40v2" }],
    ["path", { class: "ink small pale", d: "M44 30v2M52 30v2M46 36h4l-2 2.500zM48 39v2.500" }],
  ],
  photo: [
    ["path", { class: "line", d: "M8 20a5 5 0 0 1 5-5h7l4-6h16l4 6h7a5 5 0 0 1 5 5v28a5 5 0 0 1-5 5H13a5 5 0 0 1-5-5z" }],
    ["circle", { class: "line", cx: 32, cy: 33, r: 11 }],
  ],
  enlarge: [
    ["circle", { class: "line", cx: 28, cy: 28, r: 17 }],
    ["path", { class: "line", d: "M41 41 55 55M20 28h16M28 20v16" }],
  ],
  good: [["path", { class: "line", d: "M24 28 33 8c5 0 7 4 6 9l-2 9h13c4 0 6 3 5 7l-4 17c-1 3-3 5-6 5H24zM8 28h10v27H8z" }]],
  bad: [["path", { class: "line", d: "M40 36 31 56c-5 0-7-4-6-9l2-9H14c-4 0-6-3-5-7l4-17c1-3 3-5 6-5h21zM46 9h10v27H46z" }]],
};

/** Create an icon. Screen readers skip it: a text beside it says the same. */
function icon(name) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 64 64");
  picture.setAttribute("aria-hidden", "true");
  picture.setAttribute("class", `cd-icon cd-icon-${name}`);
  for (const [shape, attributes] of ICONS[name]) {
    const element = document.createElementNS(SVG, shape);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    picture.append(element);
  }
  return picture;
}
