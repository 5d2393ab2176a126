// What the forms about a photo share: each is usable only while its photo is the one shown and no other is on its way.

/**
 * Turn `element` into a form about the photo of a `PhotoForm`. `draw(photo)` draws the model's trait `photo`.
 * Returns { send, done, problem, update, dispose }. `send(control, content)` sends a message about the photo that is
 * drawn, while the control is marked as busy; it resolves to "" or to an error message, which `problem` shows.
 */
function photoForm(model, element, draw) {
  const done = make("p", { class: "cd-thanks", role: "status" });
  const problem = errorParagraph();
  const problems = new Map(); // by feedback_id: a reply that comes late is about its own photo, not about the one shown
  const isVisible = (one) => one.getClientRects().length > 0;
  let photo = {}; // what is drawn

  async function send(control, content) {
    const { feedback_id } = photo;
    problems.delete(feedback_id);
    done.textContent = problem.textContent = "";
    await whileBusy(control, async () => {
      problems.set(feedback_id, await request(model, { ...content, feedback_id }));
    });
    update();
    return problems.get(feedback_id);
  }

  /** Draw the state that the kernel published. While another photo is on its way, the form before stays, locked. */
  function update() {
    const input = photoInputOf(element);
    const isBusy = Boolean(input?.hasAttribute("aria-busy"));
    const hadFocus = element.contains(document.activeElement);
    if (model.get("photo").feedback_id || !isBusy) {
      photo = model.get("photo");
      draw(photo);
      done.textContent = model.get("done");
      problem.textContent = problems.get(photo.feedback_id) ?? "";
    }
    lock(isBusy || Number(input?.dataset.shown) !== photo.number);
    if (hadFocus && !isVisible(element)) [...(input?.querySelectorAll("input, button") ?? [])].find(isVisible)?.focus();
  }

  function lock(isLocked) {
    element.classList.toggle("cd-locked", isLocked);
    for (const control of element.querySelectorAll("button, input, textarea")) {
      if (isLocked) control.setAttribute("aria-disabled", "true"); // not disabled: that would take the keyboard focus away
      else control.removeAttribute("aria-disabled");
      if (control.matches("textarea")) control.readOnly = isLocked;
    }
  }

  /** Keep a click from a form that is locked, and from a control that waits for its reply. */
  function refuse(event) {
    const isBusy = (event.submitter ?? event.target).hasAttribute("aria-busy");
    if (!isBusy && !element.classList.contains("cd-locked")) return;
    event.preventDefault();
    event.stopPropagation();
  }
  for (const kind of ["click", "submit"]) element.addEventListener(kind, refuse, { capture: true });
  model.on("change:photo change:done", update);
  return { send, done, problem, update, dispose: onPhotoShown(update) };
}
