function render({ model, el: place }) {
  const root = begin(model, place, "health");

  function table({ title, columns, rows }) {
    const head = make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)));
    const body = rows.map(({ kind, cells: [name, ...rest] }) => {
      const dot = kind ? make("span", { class: `cd-dot cd-drift-${kind}`, "aria-hidden": "true" }) : null;
      const said = rest.map((text, place) => make("td", { "data-column": columns[place + 1] }, text));
      return make("tr", {}, make("th", { scope: "row" }, dot, name), ...said);
    });
    const caption = make("caption", {}, title);
    return make("div", { class: "cd-scroll", tabindex: "0", role: "region", "aria-label": title }, make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...body)));
  }

  function draw() {
    const said = model.get("sentences").map((sentence) => make("li", {}, sentence));
    root.hidden = !said.length;
    root.replaceChildren(make("h3", {}, model.get("texts").title), make("ul", {}, ...said), ...model.get("tables").map(table));
  }
  model.on("change:sentences change:tables", draw);
  draw();
}

export default { render };
