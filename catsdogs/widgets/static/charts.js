// set by plotly.min.js, above; a part without it waits for the one that brings it
const plotly = globalThis.Plotly ?? (await new Promise((found) => {
  const timer = setInterval(() => globalThis.Plotly && (clearInterval(timer), found(globalThis.Plotly)), 50);
}));

const PICTURE = { format: "png", width: 1200, height: 560, scale: 2 };
const PICTURE_MARGIN = { t: 108, r: 24, l: 16 }; // above: title, caption and legend

function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "charts");
  const plots = new Map();
  const problem = make("p", { class: "cd-problem", role: "alert" });
  root.append(problem);
  saveFiles(model);
  // an app's page is hidden while it is made: there is no width to draw to before it is seen
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) if (contentRect.width && target.data) plotly.Plots.resize(target);
  });

  const isDark = () => {
    const [red, green, blue] = getComputedStyle(root).color.match(/[\d.]+/g).map(Number);
    return red + green + blue > 384; // light ink is for dark paper
  };

  async function saveFigures(name) {
    problem.textContent = await ask(model, { action: "csv", value: name });
  }
  /** Save a chart on paper of the page's colour, with its title and what it is of; wide, whatever it is seen on. */
  function savePicture(name) {
    const { heading, plot } = plots.get(name);
    const paper = getComputedStyle(plot.closest("figure")).backgroundColor;
    const title = { text: heading.textContent, subtitle: { text: model.get("caption") } };
    const layout = { ...plot.layout, title, paper_bgcolor: paper, plot_bgcolor: paper };
    layout.margin = { ...layout.margin, ...PICTURE_MARGIN };
    const config = { ...model.get("config"), responsive: false };
    plotly.downloadImage({ data: plot.data, layout, config }, { ...PICTURE, filename: `catsdogs-${name}${model.get("suffix")}` });
  }
  const saver = (kind, save) => make("button", { type: "button", class: "cd-save", title: texts[`save_${kind}`], onclick: save }, texts[kind]);

  function plotOf(name) {
    if (!plots.has(name)) {
      const heading = make("h2", {});
      const plot = make("div", { class: "cd-plot" });
      const savers = [saver("csv", () => saveFigures(name)), saver("png", () => savePicture(name))];
      const caption = make("figcaption", { class: "cd-bar" }, heading, ...savers);
      root.append(make("figure", { class: "cd-chart", "data-name": name }, caption, plot));
      plots.set(name, { heading, plot });
      sizes.observe(plot);
    }
    return plots.get(name);
  }

  /** Let the letters grow with the page's. */
  function scaled(template) {
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    return JSON.parse(JSON.stringify(template), (key, value) => (key === "size" ? value * scale : value));
  }

  function draw() {
    const template = scaled(model.get("templates")[isDark() ? "dark" : "light"]);
    for (const { name, title, data, layout } of model.get("figures")) {
      const { heading, plot } = plotOf(name);
      heading.textContent = title;
      plot.toggleAttribute("data-empty", !data.length);
      for (const button of heading.parentElement.querySelectorAll("button")) {
        button.setAttribute("aria-label", `${button.title}: ${title}`);
        button.hidden = !data.length;
      }
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
