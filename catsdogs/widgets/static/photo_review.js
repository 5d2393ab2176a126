const KEYS = { 1: "cat", 2: "dog", 3: "neither", 4: "left_out" };

function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "review");
  let photo = "";
  let busy = false;

  const problem = make("p", { class: "cd-problem", role: "alert" });
  const said = make("div", { role: "status" });
  const picture = make("img", { alt: texts.photo });
  const undo = make("button", { type: "button", class: "cd-button cd-quiet", onclick: () => say({ action: "undo" }) }, texts.undo);
  const buttons = Object.entries(KEYS).map(([key, value]) =>
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
  root.append(picture, make("div", { class: "cd-words" }, said, question, undo, problem));

  async function say(content) {
    if (busy) return; // one touch, one photo
    busy = true;
    root.setAttribute("aria-busy", "true");
    problem.textContent = await ask(model, content);
    ready();
  }
  function ready() {
    busy = false;
    root.removeAttribute("aria-busy");
  }
  const decide = (value) => photo && say({ action: "decide", photo, value });

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    event.stopPropagation(); // else "x", hit by mistake, cuts the cell in JupyterLab
    if (event.repeat) return;
    if (event.key in KEYS) decide(KEYS[event.key]);
    if (event.key === "Backspace" && !undo.hidden) say({ action: "undo" });
  });

  model.on("msg:custom", ({ shows }, buffers) => {
    if (!shows) return;
    photo = shows.photo;
    URL.revokeObjectURL(picture.src);
    if (photo) picture.src = URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" }));
    else picture.removeAttribute("src");
    picture.hidden = question.hidden = !photo;
    undo.hidden = !shows.undo;
    const focused = document.activeElement;
    if (root.contains(focused) && focused.closest("[hidden]")) (photo ? buttons[0] : undo).focus();
    ready(); // the reply comes after
    const lines = photo ? shows.said : [texts.none];
    said.replaceChildren(...lines.map((line) => make("p", {}, line)), make("p", { class: "cd-muted" }, shows.progress));
  });
  picture.hidden = question.hidden = undo.hidden = true;
  say({ action: "next" });
}

export default { render };
