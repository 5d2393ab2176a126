function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "alerts");
  root.setAttribute("aria-label", texts.title);
  root.setAttribute("aria-live", "polite");

  function item({ rule, state, badge, title, happened, when, to_do }) {
    const head = make("p", { class: "cd-alert-title" }, make("span", { class: "cd-badge" }, badge), " ", make("strong", {}, title));
    const said = make("p", {}, happened, " ", make("span", { class: "cd-muted" }, when));
    const todo = state === "resolved" ? null : make("p", { class: "cd-todo" }, to_do);
    return make("li", { class: `cd-alert cd-alert-${state}`, "data-rule": rule }, head, said, todo);
  }

  let shown;
  function draw() {
    const alerts = model.get("alerts");
    const problems = [...model.get("degraded"), model.get("problem")].filter(Boolean);
    const now = JSON.stringify([model.get("known"), problems, alerts]);
    if (now === shown) return; // a screen reader need not hear again what stays
    shown = now;
    root.hidden = !model.get("known") && !problems.length;
    const none = problems.length ? "" : make("p", { class: "cd-muted cd-no-alert" }, texts.none);
    const troubles = problems.map((problem) => make("p", { class: "cd-problem" }, problem));
    root.replaceChildren(...troubles, alerts.length ? make("ul", {}, ...alerts.map(item)) : none);
  }
  model.on("change:alerts change:known change:degraded change:problem", draw);
  draw();
}

export default { render };
