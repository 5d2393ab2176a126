// The feedback form: is the answer right, what does the photo really show, and a comment.

/** Render the widget `FeedbackForm`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "feedback");
  const problem = errorParagraph();
  const thanks = make("p", { class: "cd-thanks", role: "status" });

  /** Send a rating, a label or a comment, while its button is marked as busy. */
  function send(action, value, button) {
    return whileBusy(button, async () => {
      problem.textContent = await request(model, { action, value });
    });
  }

  /** Create a group of buttons; the one whose value the trait has is pressed. */
  function choice(label, trait, options) {
    const buttons = options.map(([value, text, picture]) => {
      const button = make(
        "button",
        { type: "button", class: "cd-choice", "data-value": value, onclick: () => send(trait, value, button) },
        picture && icon(picture),
        text,
      );
      return [value, button];
    });
    const group = make("div", { role: "group", "aria-label": label, class: "cd-choices" }, ...buttons.map(([, button]) => button));
    const draw = () => {
      for (const [value, button] of buttons) button.setAttribute("aria-pressed", String(model.get(trait) === value));
    };
    return { group, draw };
  }

  const rating = choice(texts.question, "rating", [[1, texts.good, "good"], [0, texts.bad, "bad"]]);
  const label = choice(texts.really, "true_label", ["cat", "dog", "both", "neither"].map((value) => [value, texts[value], ""]));
  const really = make("div", {}, make("h3", {}, texts.really), label.group);

  const comment = make("textarea", { rows: 2, maxlength: model.get("max_comment") });
  const submit = make("button", { type: "submit", class: "cd-button cd-quiet" }, texts.send);
  const form = make(
    "form",
    {
      async onsubmit(event) {
        event.preventDefault();
        if (submit.hasAttribute("aria-busy")) return;
        await send("comment", comment.value, submit);
        if (!problem.textContent) comment.value = "";
      },
    },
    make("label", {}, texts.comment, comment),
    submit,
  );
  const noComment = make("p", { class: "cd-muted" }, texts.no_comment);
  root.append(make("h3", {}, texts.question), rating.group, really, form, noComment, thanks, problem);

  function draw() {
    root.hidden = model.get("feedback_id") === "";
    really.hidden = model.get("rating") !== 0;
    const rated = model.get("rating") !== null;
    form.hidden = !rated || !model.get("may_comment");
    noComment.hidden = !rated || model.get("may_comment");
    thanks.textContent = model.get("thanks");
    rating.draw();
    label.draw();
  }
  function reset() {
    comment.value = "";
    problem.textContent = "";
    draw();
  }
  for (const trait of ["rating", "true_label", "may_comment", "thanks"]) model.on(`change:${trait}`, draw);
  model.on("change:feedback_id", reset);
  draw();
}

export default { render };
