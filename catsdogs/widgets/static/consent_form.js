// The consent form: one checkbox per purpose, and the privacy notice.

/** Render the widget `ConsentForm`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "consent");
  const problem = errorParagraph();
  let pending = 0; // messages without a reply yet: until then the kernel's state is older than the boxes

  async function sendDecision(purpose, box) {
    pending += 1;
    problem.textContent = await request(model, { action: "agree", purpose, agreed: box.checked });
    pending -= 1;
    if (problem.textContent) draw(); // the kernel did not accept it: show its state
  }

  const boxes = model.get("purposes").map(([purpose, label, explanation], number) => {
    const hint = `${model.model_id ?? "consent"}-${number}`;
    const box = make("input", {
      type: "checkbox",
      name: purpose,
      "aria-describedby": hint,
      onchange: () => sendDecision(purpose, box),
    });
    const text = make("span", {}, make("strong", {}, label), make("span", { id: hint, class: "cd-muted" }, explanation));
    return { purpose, box, row: make("label", { class: "cd-check" }, box, text) };
  });

  const apply = quietButton({
    onclick: () => whileBusy(apply, async () => {
      problem.textContent = await request(model, { action: "apply" });
    }),
  }, texts.apply);
  const changed = make("p", { class: "cd-decision-changed", role: "status" });

  root.append(
    make("fieldset", {}, make("legend", {}, texts.question), make("p", { class: "cd-muted" }, texts.reassurance), ...boxes.map(({ row }) => row)),
    changed,
    make(
      "details",
      {},
      make("summary", {}, texts.notice),
      make("ul", {}, ...model.get("notice").map((paragraph) => make("li", {}, paragraph))),
    ),
    problem,
  );

  function draw() {
    if (!pending) for (const { purpose, box } of boxes) box.checked = model.get("agreed_purposes").includes(purpose);
    if (model.get("decision_changed") === changed.hasChildNodes()) return;
    if (changed.contains(document.activeElement)) boxes.at(-1).box.focus(); // the focused button is removed
    changed.replaceChildren(...(model.get("decision_changed") ? [texts.from_next_photo, apply] : []));
  }
  model.on("change:agreed_purposes", draw);
  model.on("change:decision_changed", draw);
  draw();

  const agreed = takeFromOtherLanguage("purposes");
  for (const { purpose, box } of boxes.filter(({ purpose }) => agreed.includes(purpose))) {
    box.checked = true;
    sendDecision(purpose, box);
  }
  return keepForOtherLanguage("purposes", () => boxes.filter(({ box }) => box.checked).map(({ purpose }) => purpose));
}

export default { render };
