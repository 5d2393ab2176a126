// Charts, drawn by plotly.js.

const PICTURE = { format: "png", width: 1200, height: 560, scale: 2 };
const PICTURE_MARGIN = { t: 108, r: 24, l: 16 }; // above: title, caption and legend

/**
 * Wait for plotly.js: a page of our server says where it is, and loads it when the rest is drawn; elsewhere it is joined
 * to the script of one of the widgets, and the others wait for that.
 */
async function loadPlotly() {
  const { plotly: address } = document.body.dataset;
  if (address) {
    delete document.body.dataset.plotly;
    document.head.append(make("script", { src: address }));
  }
  while (!globalThis.Plotly) await new Promise((resolve) => setTimeout(resolve, 50));
  return globalThis.Plotly;
}

/** Render a widget derived from `BaseCharts`. */
async function render({ model, el }) {
  const plotly = await loadPlotly();
  const texts = model.get("texts");
  const root = createRoot(model, el, "charts");
  const plots = new Map(); // name of the chart -> { heading, plot }
  const problem = errorParagraph();
  root.append(problem);
  saveReceivedFiles(model);
  // Voilà hides the page while it is built: a chart has no width before the page is visible.
  const resizing = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) if (contentRect.width && target.data) plotly.Plots.resize(target);
  });

  const isDark = () => {
    const [red, green, blue] = getComputedStyle(root).color.match(/[\d.]+/g).map(Number);
    return red + green + blue > 384; // a light text colour means a dark background
  };

  async function saveCsv(name) {
    problem.textContent = await request(model, { action: "csv", chart: name });
  }
  /** Save a chart as a picture on the page's background, with title and caption; its width is always the same. */
  function savePng(name) {
    const { heading, plot } = plots.get(name);
    const background = getComputedStyle(plot.closest("figure")).backgroundColor;
    const title = { text: heading.textContent, subtitle: { text: model.get("caption") } };
    const layout = { ...plot.layout, title, paper_bgcolor: background, plot_bgcolor: background };
    layout.margin = { ...layout.margin, ...PICTURE_MARGIN };
    const config = { ...model.get("config"), responsive: false };
    plotly.downloadImage({ data: plot.data, layout, config }, { ...PICTURE, filename: `catsdogs-${name}${model.get("suffix")}` });
  }
  const saveButton = (kind, save) => make("button", { type: "button", class: "cd-save", title: texts[`save_${kind}`], onclick: save }, texts[kind]);

  function plotOf(name) {
    if (!plots.has(name)) {
      const heading = make("h2", {});
      const plot = make("div", { class: "cd-plot" });
      const buttons = [saveButton("csv", () => saveCsv(name)), saveButton("png", () => savePng(name))];
      const caption = make("figcaption", { class: "cd-bar" }, heading, ...buttons);
      root.append(make("figure", { class: "cd-chart", "data-name": name }, caption, plot));
      plots.set(name, { heading, plot });
      resizing.observe(plot);
    }
    return plots.get(name);
  }

  /** Scale the font sizes of a Plotly template with the font size of the page. */
  function scaled(template) {
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    return JSON.parse(JSON.stringify(template), (key, value) => (key === "size" ? value * scale : value));
  }

  function draw() {
    // widgets are drawn before they are put into the page: the colours and sizes of the page are not known yet
    if (!root.isConnected) return requestAnimationFrame(draw);
    const template = scaled(model.get("templates")[isDark() ? "dark" : "light"]);
    for (const { name, title, data, layout } of model.get("figures")) {
      const { heading, plot } = plotOf(name);
      heading.textContent = title;
      plot.toggleAttribute("data-empty", !data.length);
      for (const button of heading.parentElement.querySelectorAll("button")) {
        button.setAttribute("aria-label", labelled(texts, button.title, title));
        button.hidden = !data.length;
      }
      plotly.react(plot, data, { ...layout, template, uirevision: model.get("view") }, model.get("config"));
    }
  }

  const systemTheme = matchMedia("(prefers-color-scheme: dark)");
  const jupyterTheme = new MutationObserver(draw);
  systemTheme.addEventListener("change", draw);
  jupyterTheme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  model.on("change:figures", draw);
  draw();
  return () => {
    systemTheme.removeEventListener("change", draw);
    jupyterTheme.disconnect();
    resizing.disconnect();
    model.off("change:figures", draw);
    for (const { plot } of plots.values()) plotly.purge(plot);
  };
}

export default { render };
