// The answer for one photo: a sentence, the probability of each answer as a bar, and facts about the prediction.

/** Create the bar of one probability; screen readers read its label and its figure. */
function bar({ kind, label, share, figure }) {
  const fill = make("span", { class: `cd-fill cd-fill-${kind}` });
  fill.style.width = `${share * 100}%`;
  return make(
    "div",
    { class: "cd-bar" },
    make("dt", { class: "cd-bar-label" }, label),
    make("dd", { class: "cd-track", "aria-hidden": "true" }, fill),
    make("dd", { class: "cd-figure" }, figure),
  );
}

/** Render the widget `AnswerCard`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "answer");
  const answer = make("div", { role: "status", class: "cd-answer-text" });
  const details = make("div", {});
  root.append(answer, details);

  function modelLink(name) {
    const href = model.get("model_card");
    return href ? make("a", { href, target: "_blank", rel: "noopener" }, name) : name;
  }

  function draw() {
    const { kind, headline, detail, title, bars, time, model: name, notes } = model.get("answer");
    root.hidden = !kind;
    root.dataset.answer = kind ?? "";
    if (!kind) {
      answer.replaceChildren();
      details.replaceChildren();
      return;
    }
    answer.replaceChildren(
      make("span", { class: "cd-badge" }, icon(kind)),
      make("div", {}, make("h2", {}, headline), make("p", { class: "cd-muted" }, detail)),
      ...notes.map((note) => make("p", { class: "cd-note" }, note)),
    );
    details.replaceChildren(
      make("h3", {}, title),
      make("dl", { class: "cd-bars" }, ...bars.map(bar)),
      make(
        "dl",
        { class: "cd-facts" },
        make("div", {}, make("dt", {}, texts.time), make("dd", { class: "cd-time" }, time)),
        make("div", {}, make("dd", {}, modelLink(name))),
      ),
    );
  }
  model.on("change:answer", () => {
    draw();
    if (!root.hidden) root.scrollIntoView({ block: "nearest" }); // where the page is small, it is below the photo
  });
  draw();
}

export default { render };
