// Charts take the width of the page, which only the page knows. Paper has another width, which is known once the print
// layout is drawn. Charts are lower on paper, so that they fill the sheets.
for (const event of ["load", "beforeprint", "afterprint"]) addEventListener(event, () => {
  const paper = document.documentElement.classList.toggle("paper", event === "beforeprint");
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    const height = (plot.dataset.height ??= plot._fullLayout.height);
    const alone = plot.matches(".figures > :last-child:nth-child(odd) *");
    plot.parentElement.style.height = `${paper && !alone ? height * 0.78 : height}px`;
    delete plot.layout.height;
    Plotly.relayout(plot, { autosize: true });
  }
});
