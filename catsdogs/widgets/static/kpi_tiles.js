// The key figures, one tile for each.

/** Render the widget `KpiTiles`. */
function render({ model, el }) {
  const root = createRoot(model, el, "tiles");
  root.setAttribute("aria-label", model.get("texts").title);

  function draw() {
    const tiles = model.get("tiles").map(({ name, label, figure, detail, worst, arrow, trend, tone }) =>
      make(
        "div",
        { class: "cd-tile", "data-name": name },
        make("dt", {}, label),
        make("dd", { class: "cd-headline" }, figure),
        make("dd", { class: "cd-muted" }, detail),
        worst && make("dd", { class: "cd-muted" }, worst),
        trend && make("dd", { class: "cd-trend", "data-tone": tone }, make("span", { "aria-hidden": "true" }, arrow), trend),
      ),
    );
    root.replaceChildren(make("dl", {}, ...tiles));
  }
  model.on("change:tiles", draw);
  draw();
}

export default { render };
