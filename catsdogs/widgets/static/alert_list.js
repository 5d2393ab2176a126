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
    const advice = to_do ? make("p", {}, to_do) : null;
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
    const isWatched = ({ state }) => state === "pending";
    const certain = alerts.filter((alert) => !isWatched(alert));
    root.replaceChildren(
      ...errors,
      certain.length ? make("ul", {}, ...certain.map(item)) : none,
      ...(certain.length < alerts.length ? [watchList(alerts.filter(isWatched))] : []),
    );
  }
  /** What may be chance needs no one now, so it is folded; an unfolded list stays so when it is drawn again. */
  function watchList(watched) {
    const open = root.querySelector("details")?.open ?? false;
    const summary = make("summary", { class: "cd-muted" }, model.get("watched"));
    return make("details", { open }, summary, make("ul", {}, ...watched.map(item)));
  }
  model.on("change:alerts change:known change:none change:watched change:degraded change:problem", draw);
  draw();
}

export default { render };
