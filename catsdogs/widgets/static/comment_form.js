// The comment on the photo shown: to write, to read again, and to change. What is not sent yet stays with its photo.

/** Render the widget `CommentForm`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "comment");
  const form = photoForm(model, root, draw);
  const drafts = readFromTab("drafts", {}); // by feedback_id
  let photo = {};

  const limit = model.get("max_comment");
  const counterId = `${model.model_id ?? "comment"}-counter`;
  const counter = make("p", { id: counterId, class: "cd-muted" });
  const announcement = make("p", { class: "cd-hidden", role: "status" });
  const text = make("textarea", { rows: 3, "aria-describedby": counterId, oninput: () => keepDraft(text.value) });
  const submit = make("button", { type: "submit", class: "cd-button cd-quiet" });
  const cancel = quietButton({ onclick: () => closeEditor() }, texts.cancel);
  const editor = make("form", { onsubmit: save }, make("label", {}, texts.comment, text), counter, make("div", { class: "cd-row" }, submit, cancel), announcement);

  const stored = make("blockquote", {});
  const change = quietButton({ onclick: edit }, texts.change);
  const remove = quietButton({ class: "cd-button cd-quiet cd-grave", onclick: () => question.ask(texts.confirm_delete, remove, deleteComment) }, texts.delete);
  const question = confirmation(texts.yes, texts.no);
  const reader = make("div", {}, make("h3", {}, texts.yours), stored, make("div", { class: "cd-row" }, change, remove), question.element);
  root.append(reader, editor, form.done, form.problem);

  function keepDraft(value) {
    if (value === null) delete drafts[photo.feedback_id];
    else drafts[photo.feedback_id] = value;
    writeToTab("drafts", drafts);
    count();
  }

  function edit() {
    keepDraft(photo.comment);
    form.update();
    text.focus();
  }

  function closeEditor() {
    keepDraft(null);
    form.update();
    change.focus();
  }

  async function deleteComment() {
    const message = await form.send(remove, { action: "delete" });
    if (!message && !editor.hidden) text.focus();
  }

  async function save(event) {
    event.preventDefault();
    const { feedback_id } = photo;
    const comment = text.value;
    const message = await form.send(submit, { action: "save", comment });
    if (message || drafts[feedback_id] !== comment) return; // it was edited meanwhile
    const hadFocus = editor.contains(document.activeElement);
    delete drafts[feedback_id];
    writeToTab("drafts", drafts);
    form.update();
    if (hadFocus && feedback_id === photo.feedback_id) change.focus();
  }

  /** Show how many characters are left, counted as the server does: characters, not the units of JavaScript. */
  function count() {
    const left = limit - [...text.value.trim()].length;
    const sentence = (left < 0 ? texts.too_long : texts.left).replace("{n}", format(Math.abs(left))).replace("{limit}", format(limit));
    counter.textContent = sentence;
    counter.classList.toggle("cd-over", left < 0);
    // screen readers read the counter with the field, and again only when the end is near, in steps
    const step = [100, 50, 20, 0, -1].findLast((bound) => left <= bound);
    if (String(step) !== announcement.dataset.step) announcement.textContent = step === undefined ? "" : sentence;
    announcement.dataset.step = String(step);
  }
  const format = (number) => number.toLocaleString(model.get("language"));

  function draw(next) {
    const isOther = next.feedback_id !== photo.feedback_id;
    if (isOther) question.close();
    photo = next;
    root.hidden = !photo.may_comment;
    const draft = drafts[photo.feedback_id];
    const isEditing = draft !== undefined || !photo.comment;
    reader.hidden = isEditing;
    editor.hidden = !isEditing;
    cancel.hidden = !photo.comment;
    stored.textContent = photo.comment;
    submit.textContent = photo.comment ? texts.save : texts.send;
    if (isOther || !isEditing || document.activeElement !== text) text.value = draft ?? photo.comment ?? "";
    count();
  }

  const stop = onForget(() => Object.keys(drafts).forEach((id) => delete drafts[id]));
  form.update();
  return () => {
    form.dispose();
    stop();
  };
}

export default { render };
