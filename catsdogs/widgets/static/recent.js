function render({ model, el: place }) {
  const texts = model.get("texts");
  const columns = model.get("columns");
  const root = begin(model, place, "recent");
  const body = make("tbody", {});
  const none = make("p", { class: "cd-muted" }, texts.none);
  const head = make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)));
  const table = make("table", {}, make("thead", {}, head), body);
  root.append(make("h3", {}, texts.title), make("div", { class: "cd-scroll" }, table), none);

  function row({ answer, cells }) {
    const [when, said, ...rest] = cells.map((text, place) => make("td", { "data-column": columns[place] }, text));
    said.prepend(make("span", { class: `cd-dot cd-dot-${answer}`, "aria-hidden": "true" }));
    return make("tr", {}, when, said, ...rest);
  }

  function draw() {
    const rows = model.get("rows");
    body.replaceChildren(...rows.map(row));
    table.hidden = !rows.length;
    none.hidden = Boolean(rows.length);
  }
  model.on("change:rows", draw);
  draw();
}

export default { render };
