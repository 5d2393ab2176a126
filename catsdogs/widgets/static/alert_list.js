// The list of alerts, with what is degraded in the service.

/** Render the widget `AlertList`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "alerts");
  root.setAttribute("aria-label", texts.title);
  root.setAttribute("aria-live", "polite");

  function item({ rule, state, badge, title, happened, when, to_do }) {
    const head = make("p", {}, make("span", { class: "cd-badge" }, badge), " ", make("strong", {}, title));
    const event = make("p", {}, happened, " ", make("span", { class: "cd-muted" }, when));
    const advice = state === "resolved" ? null : make("p", {}, to_do);
    return make("li", { class: `cd-alert cd-alert-${state}`, "data-rule": rule }, head, event, advice);
  }

  let drawn;
  function draw() {
    const alerts = model.get("alerts");
    const problems = [...model.get("degraded"), model.get("problem")].filter(Boolean);
    const current = JSON.stringify([model.get("known"), problems, alerts, model.get("none")]);
    if (current === drawn) return; // a screen reader would read the same text again
    drawn = current;
    root.hidden = !model.get("known") && !problems.length;
    const none = problems.length || !model.get("known") ? "" : make("p", { class: "cd-muted" }, model.get("none"));
    const errors = problems.map((problem) => make("p", { class: "cd-problem" }, problem));
    root.replaceChildren(...errors, alerts.length ? make("ul", {}, ...alerts.map(item)) : none);
  }
  model.on("change:alerts change:known change:none change:degraded change:problem", draw);
  draw();
}

export default { render };
