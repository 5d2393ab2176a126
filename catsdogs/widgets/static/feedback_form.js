// The feedback form: is the answer right, and what does the photo really show?

/** Render the widget `FeedbackForm`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "feedback");
  const form = photoForm(model, root, draw);

  /** Create a group of buttons below a heading; `draw` presses one of them, and hides those that are not among `offered`. */
  function choice(heading, action, options) {
    const title = make("h3", {}, heading);
    const buttons = options.map(([value, text, picture]) => {
      const onclick = () => form.send(button, { action, value });
      const button = make("button", { type: "button", class: "cd-choice", "data-value": value, onclick }, picture && icon(picture), text);
      return { value, button };
    });
    const group = make("div", { role: "group", class: "cd-choices" }, ...buttons.map(({ button }) => button));
    return {
      element: make("div", {}, title, group),
      draw(text, pressed, offered) {
        title.textContent = text;
        group.setAttribute("aria-label", text);
        for (const { value, button } of buttons) {
          button.setAttribute("aria-pressed", String(value === pressed));
          button.hidden = !offered.includes(value);
        }
      },
    };
  }

  const rating = choice(texts.question, "rating", [[1, texts.good, "good"], [0, texts.bad, "bad"]]);
  const label = choice(texts.really, "true_label", ["cat", "dog", "both", "neither"].map((value) => [value, texts[value], ""]));
  root.append(rating.element, label.element, form.done, form.problem);

  function draw(photo) {
    root.hidden = !photo.feedback_id;
    if (root.hidden) return;
    rating.element.hidden = photo.unsure;
    label.element.hidden = !photo.unsure && photo.rating !== 0;
    rating.draw(texts.question, photo.rating, [1, 0]);
    label.draw(photo.unsure ? texts.what : texts.really, photo.true_label, photo.labels);
  }
  form.update();
  return form.dispose;
}

export default { render };
