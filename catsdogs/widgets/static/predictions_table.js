// The table of single predictions.

/** Render the widget `PredictionsTable`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const columns = model.get("columns");
  const root = createRoot(model, el, "predictions");
  const body = make("tbody", {});
  const none = make("p", { class: "cd-muted" }, texts.none);
  const problem = errorParagraph();
  const table = make("table", {}, tableHead(columns), body);

  async function send(action, value) {
    problem.textContent = await request(model, { action, value });
  }
  const lists = model.get("listings").map(([name, label]) =>
    make("button", { type: "button", value: name, onclick: () => send("list", name) }, label),
  );
  const save = make(
    "button",
    { type: "button", class: "cd-save", "aria-label": texts.save, title: texts.save, onclick: () => send("csv") },
    texts.csv,
  );
  root.append(
    make(
      "div",
      { class: "cd-bar" },
      make("h2", {}, texts.title),
      make("div", { class: "cd-lists", role: "group", "aria-label": texts.list }, ...lists),
      save,
    ),
    problem,
    make("div", { class: "cd-scroll" }, table),
    none,
  );

  function row({ answer, cells }) {
    const elements = tableCells(cells, columns);
    elements[1].prepend(make("span", { class: `cd-dot cd-dot-${answer}`, "aria-hidden": "true" }));
    return make("tr", {}, ...elements);
  }

  function draw() {
    const rows = model.get("rows");
    for (const button of lists) button.setAttribute("aria-pressed", String(button.value === model.get("listing")));
    body.replaceChildren(...rows.map(row));
    table.hidden = save.hidden = !rows.length;
    none.hidden = Boolean(rows.length) || !model.get("known");
  }
  model.on("change:rows change:listing change:known", draw);
  saveReceivedFiles(model);
  draw();
}

export default { render };
