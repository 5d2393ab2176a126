function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "consent");
  const problem = make("p", { class: "cd-problem", role: "alert" });
  let unanswered = 0; // ticks that the kernel has not heard of yet: what it says of them is older

  async function tell(purpose, box) {
    unanswered += 1;
    problem.textContent = await ask(model, { action: "agree", purpose, agreed: box.checked });
    unanswered -= 1;
    if (problem.textContent) draw(); // the box says what the kernel knows
  }

  const boxes = model.get("purposes").map(([purpose, label, explanation], number) => {
    const hint = `${model.model_id ?? "consent"}-${number}`;
    const box = make("input", {
      type: "checkbox",
      name: purpose,
      "aria-describedby": hint,
      onchange: () => tell(purpose, box),
    });
    const text = make("span", {}, make("strong", {}, label), make("span", { id: hint, class: "cd-muted" }, explanation));
    return { purpose, box, row: make("label", { class: "cd-check" }, box, text) };
  });

  const again = make("button", {
    type: "button",
    class: "cd-button cd-quiet",
    async onclick() {
      if (again.hasAttribute("aria-busy")) return;
      again.setAttribute("aria-busy", "true"); // not disabled: that takes the focus away
      problem.textContent = await ask(model, { action: "apply" });
      again.removeAttribute("aria-busy");
    },
  }, texts.again);
  const late = make("p", { class: "cd-late", role: "status" });

  root.append(
    make("fieldset", {}, make("legend", {}, texts.question), make("p", { class: "cd-muted" }, texts.reassurance), ...boxes.map(({ row }) => row)),
    late,
    make(
      "details",
      {},
      make("summary", {}, texts.notice),
      make("ul", {}, ...model.get("notice").map((paragraph) => make("li", {}, paragraph))),
    ),
    problem,
  );

  function draw() {
    if (!unanswered) for (const { purpose, box } of boxes) box.checked = model.get("agreed_purposes").includes(purpose);
    if (model.get("decision_changed") === late.hasChildNodes()) return;
    if (late.contains(document.activeElement)) boxes.at(-1).box.focus(); // the button goes
    late.replaceChildren(...(model.get("decision_changed") ? [texts.late, again] : []));
  }
  model.on("change:agreed_purposes", draw);
  model.on("change:decision_changed", draw);
  draw();

  const ticked = carriedOver("ticks"); // by the person, on the page in the other language
  for (const { purpose, box } of boxes.filter(({ purpose }) => ticked.includes(purpose))) {
    box.checked = true;
    tell(purpose, box);
  }
  return carryOver("ticks", () => boxes.filter(({ box }) => box.checked).map(({ purpose }) => purpose));
}

export default { render };
