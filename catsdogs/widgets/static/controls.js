function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "controls");
  const news = make("p", { class: "cd-muted cd-updated" });
  const problem = make("p", { class: "cd-problem", role: "alert" });

  async function tell(asks, value) {
    root.setAttribute("aria-busy", "true");
    const sentence = await ask(model, { asks, value });
    root.removeAttribute("aria-busy");
    problem.textContent = sentence || model.get("problem");
  }

  const windows = model.get("windows").map(([name, label]) =>
    make("button", { type: "button", value: name, onclick: () => tell("window", name) }, label),
  );
  const version = make("select", { onchange: () => tell("model", version.value) });
  const live = make("input", { type: "checkbox", role: "switch", checked: true });
  root.append(
    make("div", { class: "cd-windows", role: "group", "aria-label": texts.window }, ...windows),
    make("label", { class: "cd-model" }, make("span", { class: "cd-muted" }, texts.model), version),
    make(
      "div",
      { class: "cd-fresh" },
      news,
      make("label", {}, live, texts.live),
      make("button", { type: "button", class: "cd-button cd-quiet", onclick: () => tell("news") }, texts.refresh),
    ),
    problem,
  );

  function draw() {
    for (const button of windows) button.setAttribute("aria-pressed", String(button.value === model.get("window")));
    const options = ["", ...model.get("model_versions")].map((name) =>
      make("option", { value: name, selected: name === model.get("model_version") }, name || texts.all_models),
    );
    version.replaceChildren(...options);
    news.textContent = model.get("updated");
    problem.textContent = model.get("problem");
  }
  const watched = "change:window change:model_version change:model_versions change:updated change:problem";
  model.on(watched, draw);
  draw();

  const timer = setInterval(() => {
    const seen = !document.hidden && root.isConnected;
    if (live.checked && seen && !root.hasAttribute("aria-busy")) tell("news");
  }, model.get("period"));
  tell("zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
  return () => {
    clearInterval(timer);
    model.off(watched, draw);
  };
}

export default { render };
