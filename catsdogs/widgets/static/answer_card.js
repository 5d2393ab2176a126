function bar({ kind, label, share, figure }) {
  const fill = make("span", { class: `cd-fill cd-fill-${kind}` });
  fill.style.width = `${share * 100}%`;
  return make(
    "div",
    { class: "cd-bar" },
    make("span", { class: "cd-bar-label" }, label),
    make(
      "span",
      {
        class: "cd-track",
        role: "meter",
        "aria-label": label,
        "aria-valuemin": 0,
        "aria-valuemax": 1,
        "aria-valuenow": share.toFixed(4), // not 1e-7: no number to a screen reader
        "aria-valuetext": figure,
      },
      fill,
    ),
    make("span", { class: "cd-figure" }, figure),
  );
}

function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "answer");
  const said = make("div", { role: "status", class: "cd-said" });
  const facts = make("div", {});
  const anew = make("div", { role: "status" }, make("h2", {}, texts.anew), make("p", { class: "cd-muted" }, texts.left_behind));
  root.append(said, facts);
  let before = carriedOver("answers").length > 0; // on this page, or on the one in the other language

  function card(version) {
    const href = model.get("model_card");
    return href ? make("a", { href, target: "_blank", rel: "noopener", title: texts.model_card }, version) : version;
  }

  function draw() {
    const { kind, compares, headline, detail, bars, time, model: version, notes } = model.get("answer");
    if (kind) {
      before = true;
      anew.remove();
    }
    root.hidden = !kind && !anew.parentNode;
    root.dataset.answer = kind ?? "";
    if (!kind) {
      said.replaceChildren();
      facts.replaceChildren();
      return;
    }
    said.replaceChildren(
      make("span", { class: "cd-badge" }, icon(kind)),
      make("div", {}, make("h2", {}, headline), make("p", { class: "cd-muted" }, detail)),
      ...notes.map((note) => make("p", { class: "cd-note" }, note)),
    );
    facts.replaceChildren(
      make("h3", {}, compares ? texts.compared : texts.forced),
      ...bars.map(bar),
      make(
        "dl",
        { class: "cd-facts" },
        make("div", {}, make("dt", {}, texts.time), make("dd", { class: "cd-time" }, time)),
        make("div", {}, make("dt", {}, texts.model), make("dd", {}, card(version))),
      ),
    );
  }
  model.on("change:answer", () => {
    draw();
    said.scrollIntoView({ block: "nearest" }); // below the photo on a phone
  });
  if (before) root.prepend(anew);
  draw();
  return carryOver("answers", () => (before ? [true] : []));
}

export default { render };
