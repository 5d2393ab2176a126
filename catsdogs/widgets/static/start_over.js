// "Start over": forget the visit and begin anew. Where the code of a receipt would be lost, the page asks first.

/** Create the button and its question; `clear` forgets the visit. Returns { element }. */
function startOver(texts, clear) {
  const question = confirmation(texts.start_over, texts.start_over_no);
  const button = quietButton({ onclick: start }, texts.start_over);

  function start() {
    if (document.querySelector("[data-unsaved]")) question.ask(texts.start_over_question, button, clear);
    else clear();
  }

  return { element: make("div", { class: "cd-start-over" }, button, question.element) };
}
