// The consent form: what may be kept of the photo shown, one checkbox per purpose; and the privacy notice.

/** Render the widget `ConsentForm`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "consent");
  const panel = make("div", { class: "cd-agreement" });
  const form = photoForm(model, panel, draw);
  const question = confirmation(texts.delete, texts.keep);
  let drawnId = "";

  const boxes = model.get("purposes").map(([purpose, label, explanation], number) => {
    const id = `${model.model_id ?? "consent"}-${number}`;
    const box = make("input", {
      type: "checkbox",
      name: purpose,
      "aria-labelledby": `${id}-label`, // the label around it holds the explanation, too, which would be read twice
      "aria-describedby": `${id}-explanation`,
      onchange: () => decide(purpose, box),
    });
    const text = make(
      "span",
      {},
      make("strong", { id: `${id}-label` }, label),
      make("span", { id: `${id}-explanation`, class: "cd-muted" }, explanation),
    );
    return { purpose, box, row: make("label", { class: "cd-check" }, box, text) };
  });

  /** Apply a tick at once; ask first where taking it away deletes something. */
  function decide(purpose, box) {
    const content = { action: "decide", purpose, agreed: box.checked };
    const loss = content.agreed ? "" : model.get("photo").losses[purpose];
    if (loss) box.checked = true; // until the question is answered
    apply(box, content, loss);
  }

  const undo = quietButton({ onclick: () => apply(undo, { action: "undo" }, model.get("photo").undo_loss) }, texts.undo);

  function apply(control, content, loss) {
    question.close();
    if (loss) question.ask(loss, control, () => form.send(control, content));
    else form.send(control, content);
  }

  panel.append(
    make("fieldset", {}, make("legend", {}, texts.question), make("p", { class: "cd-muted" }, texts.reassurance), ...boxes.map(({ row }) => row)),
    question.element,
    make("div", { class: "cd-undo" }, form.done, undo),
    form.problem,
  );
  const notice = model.get("notice").map((paragraph) => make("li", {}, paragraph));
  root.append(panel, make("details", {}, make("summary", {}, texts.notice), make("ul", {}, ...notice)));

  function draw({ feedback_id, rated, losses = {}, can_undo }) {
    panel.hidden = !rated;
    for (const { purpose, box } of boxes) {
      const isPending = box.hasAttribute("aria-busy") && feedback_id === drawnId;
      if (!isPending) box.checked = purpose in losses;
    }
    if (feedback_id !== drawnId) question.close();
    drawnId = feedback_id;
    if (!can_undo && document.activeElement === undo) boxes[0].box.focus();
    undo.hidden = !can_undo;
  }
  form.update();
  return form.dispose;
}

export default { render };
