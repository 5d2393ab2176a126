// Whether the model is still good: a verdict, sentences and tables.

/** Render the widget `HealthSummary`. */
function render({ model, el }) {
  const root = createRoot(model, el, "health");

  function table({ title, columns, rows }) {
    const body = rows.map(({ kind, cells: [name, ...rest] }) => {
      const dot = kind ? make("span", { class: `cd-dot cd-drift-${kind}`, "aria-hidden": "true" }) : null;
      return make("tr", {}, make("th", { scope: "row" }, dot, name), ...tableCells(rest, columns.slice(1)));
    });
    const caption = make("caption", {}, title);
    const element = make("table", {}, caption, tableHead(columns), make("tbody", {}, ...body));
    return make("div", { class: "cd-scroll", tabindex: "0", role: "region", "aria-label": title }, element);
  }

  function draw() {
    const sentences = model.get("sentences").map((sentence) => make("li", {}, sentence));
    root.hidden = !sentences.length;
    const verdict = make("p", { class: "cd-verdict", "data-level": model.get("level") }, model.get("verdict"));
    root.replaceChildren(make("h3", {}, model.get("texts").title), verdict, make("ul", {}, ...sentences), ...model.get("tables").map(table));
  }
  model.on("change:verdict change:level change:sentences change:tables", draw);
  draw();
}

export default { render };
