// The answer for one photo: a sentence, two bars with the probabilities, and facts about the prediction.

/** Create the bar of one probability. */
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
        "aria-valuenow": share.toFixed(4), // not 1e-7, which screen readers do not read as a number
        "aria-valuetext": figure,
      },
      fill,
    ),
    make("span", { class: "cd-figure" }, figure),
  );
}

/** Render the widget `AnswerCard`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "answer");
  const answer = make("div", { role: "status", class: "cd-answer-text" });
  const details = make("div", {});
  const switched = make("div", { role: "status" }, make("h2", {}, texts.language_switched), make("p", { class: "cd-muted" }, texts.photos_not_listed));
  root.append(answer, details);
  let hadAnswer = takeFromOtherLanguage("answers").length > 0; // here, or on the page in the other language

  function modelLink(version) {
    const href = model.get("model_card");
    return href ? make("a", { href, target: "_blank", rel: "noopener", title: texts.model_card }, version) : version;
  }

  function draw() {
    const { kind, compares, headline, detail, bars, time, model: version, notes } = model.get("answer");
    if (kind) {
      hadAnswer = true;
      switched.remove();
    }
    root.hidden = !kind && !switched.parentNode;
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
      make("h3", {}, compares ? texts.compared : texts.forced),
      ...bars.map(bar),
      make(
        "dl",
        { class: "cd-facts" },
        make("div", {}, make("dt", {}, texts.time), make("dd", { class: "cd-time" }, time)),
        make("div", {}, make("dt", {}, texts.model), make("dd", {}, modelLink(version))),
      ),
    );
  }
  model.on("change:answer", () => {
    draw();
    answer.scrollIntoView({ block: "nearest" }); // on a phone it is below the photo
  });
  if (hadAnswer) root.prepend(switched);
  draw();
  return keepForOtherLanguage("answers", () => (hadAnswer ? [true] : []));
}

export default { render };
