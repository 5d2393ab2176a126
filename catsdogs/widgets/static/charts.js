const plotly = globalThis.Plotly; // set by plotly.min.js, above

function render({ model, el: place }) {
  const root = begin(model, place, "charts");
  const plots = new Map();
  // an app's page is hidden while it is made: there is no width to draw to before it is seen
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) if (contentRect.width && target.data) plotly.Plots.resize(target);
  });

  const isDark = () => {
    const [red, green, blue] = getComputedStyle(root).color.match(/[\d.]+/g).map(Number);
    return red + green + blue > 384; // light ink is for dark paper
  };

  function plotOf(name) {
    if (!plots.has(name)) {
      const heading = make("h3", {});
      const plot = make("div", { class: "cd-plot" });
      root.append(make("figure", { class: "cd-chart", "data-name": name }, make("figcaption", {}, heading), plot));
      plots.set(name, { heading, plot });
      sizes.observe(plot);
    }
    return plots.get(name);
  }

  function draw() {
    const template = model.get("templates")[isDark() ? "dark" : "light"];
    for (const { name, title, data, layout } of model.get("figures")) {
      const { heading, plot } = plotOf(name);
      heading.textContent = title;
      plotly.react(plot, data, { ...layout, template, uirevision: model.get("view") }, model.get("config"));
    }
  }

  const theme = matchMedia("(prefers-color-scheme: dark)");
  const jupyterTheme = new MutationObserver(draw);
  theme.addEventListener("change", draw);
  jupyterTheme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  model.on("change:figures", draw);
  draw();
  return () => {
    theme.removeEventListener("change", draw);
    jupyterTheme.disconnect();
    sizes.disconnect();
    model.off("change:figures", draw);
    for (const { plot } of plots.values()) plotly.purge(plot);
  };
}

export default { render };
