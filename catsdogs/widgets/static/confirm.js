// The question before something is deleted.

/**
 * Create the question, closed. `ask(question, control, confirmed)` opens it for a control; the focus goes to the careful
 * answer, and back to the control afterwards. Returns { element, ask, close }.
 */
function confirmation(yesText, noText) {
  let open = null;
  const text = make("p", {});
  const yes = make("button", { type: "button", class: "cd-button cd-alarm", onclick: () => close().confirmed() }, yesText);
  const no = quietButton({ onclick: () => close() }, noText);
  const element = make("div", { class: "cd-confirm", role: "group", hidden: true }, text, yes, no);

  function ask(question, control, confirmed) {
    open = { control, confirmed };
    text.textContent = question;
    element.setAttribute("aria-label", question);
    element.hidden = false;
    no.focus();
  }

  /** Close the question. Returns what it was opened with. */
  function close() {
    const closed = open;
    if (element.contains(document.activeElement)) closed.control.focus();
    open = null;
    element.hidden = true;
    return closed;
  }
  return { element, ask, close };
}
