// The review of labelled photos, one after the other, by mouse or keyboard.

const DECISIONS = { 1: "cat", 2: "dog", 3: "neither", 4: "left_out" }; // by key

/** Render the widget `PhotoReview`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "review");
  let photo = ""; // id of its prediction
  let busy = false;

  const problem = errorParagraph();
  const description = make("div", { role: "status" });
  const picture = make("img", { alt: texts.photo });
  const undo = quietButton({ onclick: () => send({ action: "undo" }) }, texts.undo);
  const buttons = Object.entries(DECISIONS).map(([key, value]) =>
    make(
      "button",
      { type: "button", class: "cd-choice", "data-value": value, "aria-keyshortcuts": key, onclick: () => decide(value) },
      value in ICONS ? icon(value) : null,
      texts[value],
      make("kbd", { "aria-hidden": "true" }, key),
    ),
  );
  const choice = make("div", { role: "group", "aria-label": texts.question, class: "cd-choices" }, ...buttons);
  const question = make("div", {}, make("h3", {}, texts.question), choice, make("p", { class: "cd-muted" }, texts.keys));
  root.append(picture, make("div", { class: "cd-review-panel" }, description, question, undo, problem));

  async function send(content) {
    if (busy) return; // one decision per photo
    setBusy(true);
    problem.textContent = await request(model, content);
    setBusy(false);
  }
  function setBusy(value) {
    busy = value;
    if (busy) root.setAttribute("aria-busy", "true");
    else root.removeAttribute("aria-busy");
  }
  const decide = (value) => photo && send({ action: "decide", photo, value });

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    event.stopPropagation(); // JupyterLab would run its own shortcuts: "x" cuts a cell
    if (event.repeat) return;
    if (event.key in DECISIONS) decide(DECISIONS[event.key]);
    if (event.key === "Backspace" && !undo.hidden) send({ action: "undo" });
  });

  model.on("msg:custom", ({ review }, buffers) => {
    if (!review) return;
    photo = review.photo;
    URL.revokeObjectURL(picture.src);
    if (photo) picture.src = URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" }));
    else picture.removeAttribute("src");
    picture.hidden = question.hidden = !photo;
    undo.hidden = !review.can_undo;
    const focused = document.activeElement;
    if (root.contains(focused) && focused.closest("[hidden]")) (photo ? buttons[0] : undo).focus();
    setBusy(false); // the reply to the request follows later
    const lines = photo ? review.lines : [texts.none];
    description.replaceChildren(...lines.map((line) => make("p", {}, line)), make("p", { class: "cd-muted" }, review.progress));
  });
  picture.hidden = question.hidden = undo.hidden = true;
  send({ action: "next" });
}

export default { render };
