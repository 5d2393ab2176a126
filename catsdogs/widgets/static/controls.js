// The controls of the dashboard: which predictions its figures are of, and how often they are read again.

/** Write the parameters of the filter to the page's address, without a reload; a choice becomes a step of the history. */
function writeAddress(parameters, { isChoice = false } = {}) {
  if (!inVoila()) return; // JupyterLab has its own address
  const address = new URL(location.href);
  const entries = Object.entries(parameters);
  if (entries.every(([name, value]) => (address.searchParams.get(name) ?? "") === value)) return;
  for (const [name] of entries) address.searchParams.delete(name);
  for (const [name, value] of entries) if (value) address.searchParams.append(name, value);
  if (isChoice) history.pushState(null, "", address);
  else history.replaceState(history.state, "", address);
}

/** Convert a moment such as 2026-03-01T12:00Z to the value of a datetime-local input, in local time, to the second. */
function toLocalInput(moment) {
  if (!moment) return "";
  const date = new Date(moment);
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Create the form for start and end of the window; `apply` gets both as ISO 8601 texts. Returns { form, setMoments }. */
function momentsForm(texts, [min, max], apply, onInput) {
  const inputs = ["from", "to"].map((name) => make("input", { type: "datetime-local", name, min, max, step: "any" }));
  const form = make(
    "form",
    {
      class: "cd-moments",
      oninput: onInput,
      onsubmit(event) {
        event.preventDefault();
        apply(inputs.map(({ value }) => (value ? new Date(value).toISOString() : "")));
      },
    },
    ...inputs.map((input) => make("label", {}, make("span", { class: "cd-muted" }, texts[input.name]), input)),
    make("button", { class: "cd-button cd-quiet" }, texts.show),
    make("span", { class: "cd-muted" }, Intl.DateTimeFormat().resolvedOptions().timeZone),
  );
  let current = {};
  /** Show the moments of an address. What the person typed and did not apply stays, unless the address changed. */
  function setMoments(address) {
    for (const input of inputs) {
      if (address[input.name] !== current[input.name]) input.value = toLocalInput(address[input.name]);
    }
    current = address;
  }
  return { form, setMoments };
}

/**
 * Call `poll()` again and again while the page is visible and `isReady()`; the next call waits for the last one, and
 * longer where that took long. Returns { now, stop }: `now()` polls at once.
 */
function startPolling(model, poll, isReady) {
  let timer;
  let polling = false;
  let stopped = false;
  async function now() {
    clearTimeout(timer);
    if (polling) return;
    polling = true;
    const started = performance.now();
    if (!document.hidden && isReady()) await poll();
    polling = false;
    if (!stopped) timer = setTimeout(now, Math.max(model.get("period"), 4 * (performance.now() - started)));
  }
  const onVisible = () => document.hidden || now();
  document.addEventListener("visibilitychange", onVisible);
  timer = setTimeout(now, model.get("period"));
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisible);
  };
  return { now, stop };
}

/** Render the widget `Controls`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "controls");
  const updated = make("p", { class: "cd-muted cd-updated" });
  const notice = make("p", { class: "cd-notice", role: "status" });
  const demonstration = make("p", { class: "cd-demonstration", role: "status" });
  const problem = errorParagraph(); // why the figures are not up to date
  // why the last choice was refused: it stays until the person does something else, even where figures are read again
  const refusal = errorParagraph({ class: "cd-problem cd-refusal" });
  const clearRefusal = () => (refusal.textContent = "");

  let pending = 0;
  async function send(action, value) {
    clearRefusal();
    root.setAttribute("aria-busy", "true");
    pending++;
    refusal.textContent = await request(model, { action, value });
    if (--pending === 0) root.removeAttribute("aria-busy");
  }

  const windows = model.get("windows").map(([name, label]) =>
    make("button", { type: "button", value: name, onclick: () => send("window", name) }, label),
  );
  const moments = momentsForm(texts, model.get("limits"), (values) => send("period", values), clearRefusal);
  const version = make("select", { onchange: () => send("model", version.value) });
  const answer = make("select", { onchange: () => send("answer", answer.value) });
  const startsLive = !inVoila() || new URL(location.href).searchParams.get("live") !== "off";
  const live = quietButton(
    { class: "cd-button cd-quiet cd-live", "aria-pressed": String(startsLive), onclick: toggleLive },
    make("span", { class: "cd-pulse", "aria-hidden": "true" }),
    texts.live,
  );
  const isLive = () => live.getAttribute("aria-pressed") === "true";
  const writeLive = () => writeAddress({ live: isLive() ? "" : "off" }); // so that a paused page that is shared stays paused
  function toggleLive() {
    live.setAttribute("aria-pressed", String(!isLive()));
    writeLive();
    if (isLive()) polling.now();
  }

  // After a step back or forward, the address is newer than the kernel's filter until the kernel has read it:
  // writing the older filter to the address would undo the step.
  let navigations = 0;
  async function navigate() {
    writeLive();
    navigations++;
    await send("address", location.search);
    if (--navigations === 0) writeAddress(model.get("address"));
  }

  root.append(
    make("div", { class: "cd-windows", role: "group", "aria-label": texts.window }, ...windows),
    make("label", { class: "cd-model" }, make("span", { class: "cd-muted" }, texts.model), version),
    make("label", { class: "cd-model" }, make("span", { class: "cd-muted" }, texts.answer), answer),
    make("div", { class: "cd-fresh" }, updated, live, quietButton({ onclick: () => send("refresh") }, texts.refresh)),
    moments.form,
    refusal,
    demonstration,
    notice,
    problem,
  );

  function drawFilter({ isChoice }) {
    const window = model.get("window");
    for (const button of windows) button.setAttribute("aria-pressed", String(button.value === window));
    const options = (known, chosen) =>
      known.map(([value, label]) => make("option", { value, selected: value === chosen }, label));
    const versions = model.get("model_versions").map((name) => [name, name]);
    version.replaceChildren(...options([["", texts.all_models], ...versions], model.get("model_version")));
    answer.replaceChildren(...options(model.get("answers"), model.get("answer")));
    moments.form.hidden = window !== "custom";
    const address = model.get("address");
    moments.setMoments(address);
    if (navigations === 0) writeAddress(address, { isChoice });
  }
  const redrawFilter = () => drawFilter({ isChoice: true });
  const drawTexts = () => {
    updated.textContent = model.get("updated");
    notice.textContent = model.get("notice");
    demonstration.textContent = model.get("demonstration");
    problem.textContent = model.get("problem");
  };
  const filterTraits = "change:window change:model_version change:model_versions change:answer change:address";
  const textTraits = "change:updated change:notice change:demonstration change:problem";
  model.on(filterTraits, redrawFilter);
  model.on(textTraits, drawTexts);
  drawFilter({ isChoice: false });
  drawTexts();

  const poll = async () => {
    problem.textContent = (await request(model, { action: "poll" })) || model.get("problem");
  };
  const polling = startPolling(model, poll, () => isLive() && root.isConnected && !root.hasAttribute("aria-busy"));
  if (inVoila()) addEventListener("popstate", navigate);
  send("zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
  return () => {
    polling.stop();
    removeEventListener("popstate", navigate);
    model.off(filterTraits, redrawFilter);
    model.off(textTraits, drawTexts);
  };
}

export default { render };
