function render({ model, el: place }) {
  const texts = model.get("texts");
  const columns = model.get("columns");
  const root = begin(model, place, "predictions");
  const body = make("tbody", {});
  const none = make("p", { class: "cd-muted" }, texts.none);
  const problem = make("p", { class: "cd-problem", role: "alert" });
  const head = make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)));
  const table = make("table", {}, make("thead", {}, head), body);

  async function tell(asks, value) {
    problem.textContent = await ask(model, { action: asks, value });
  }
  const lists = model.get("listings").map(([name, label]) =>
    make("button", { type: "button", value: name, onclick: () => tell("list", name) }, label),
  );
  const save = make(
    "button",
    { type: "button", class: "cd-save", "aria-label": texts.save, title: texts.save, onclick: () => tell("csv") },
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
    const [when, said, ...rest] = cells.map((text, place) => make("td", { "data-column": columns[place] }, text));
    said.prepend(make("span", { class: `cd-dot cd-dot-${answer}`, "aria-hidden": "true" }));
    return make("tr", {}, when, said, ...rest);
  }

  function draw() {
    const rows = model.get("rows");
    for (const button of lists) button.setAttribute("aria-pressed", String(button.value === model.get("listing")));
    body.replaceChildren(...rows.map(row));
    table.hidden = save.hidden = !rows.length;
    none.hidden = Boolean(rows.length);
  }
  model.on("change:rows change:listing", draw);
  saveFiles(model);
  draw();
}

export default { render };
