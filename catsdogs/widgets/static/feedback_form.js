function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "feedback");
  const problem = make("p", { class: "cd-problem", role: "alert" });
  const thanks = make("p", { class: "cd-thanks", role: "status" });

  async function say(says, value, button) {
    if (button.getAttribute("aria-busy")) return false;
    button.setAttribute("aria-busy", "true");
    problem.textContent = await ask(model, { action: says, value });
    button.removeAttribute("aria-busy");
    return problem.textContent === "";
  }

  /** Buttons of which one is pressed, as the kernel says. */
  function choice(label, says, trait, options) {
    const buttons = options.map(([value, text, picture]) => {
      const button = make(
        "button",
        { type: "button", class: "cd-choice", "data-value": value, onclick: () => say(says, value, button) },
        picture && icon(picture),
        text,
      );
      return [value, button];
    });
    const element = make("div", { role: "group", "aria-label": label, class: "cd-choices" }, ...buttons.map(([, button]) => button));
    const draw = () => {
      for (const [value, button] of buttons) button.setAttribute("aria-pressed", String(model.get(trait) === value));
    };
    return { element, draw };
  }

  const rating = choice(texts.question, "rating", "rating", [[1, texts.good, "good"], [0, texts.bad, "bad"]]);
  const label = choice(
    texts.really, "true_label", "true_label",
    ["cat", "dog", "both", "neither"].map((value) => [value, texts[value], ""]),
  );
  const really = make("div", {}, make("h3", {}, texts.really), label.element);

  const text = make("textarea", { rows: 2, maxlength: model.get("max_comment") });
  const send = make("button", { type: "submit", class: "cd-button cd-quiet" }, texts.send);
  const form = make(
    "form",
    {
      async onsubmit(event) {
        event.preventDefault();
        if (await say("comment", text.value, send)) text.value = "";
      },
    },
    make("label", {}, texts.comment, text),
    send,
  );
  const withheld = make("p", { class: "cd-muted" }, texts.no_comment);
  root.append(make("h3", {}, texts.question), rating.element, really, form, withheld, thanks, problem);

  function draw() {
    root.hidden = model.get("feedback_id") === "";
    really.hidden = model.get("rating") !== 0;
    const answered = model.get("rating") !== null;
    form.hidden = !answered || !model.get("may_comment");
    withheld.hidden = !answered || model.get("may_comment");
    thanks.textContent = model.get("thanks");
    rating.draw();
    label.draw();
  }
  function restart() {
    text.value = "";
    problem.textContent = "";
    draw();
  }
  for (const trait of ["rating", "true_label", "may_comment", "thanks"]) model.on(`change:${trait}`, draw);
  model.on("change:feedback_id", restart);
  draw();
}

export default { render };
