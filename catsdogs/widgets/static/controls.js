const hasAddress = () => document.body.hasAttribute("data-voila"); // JupyterLab's address is its own

/** Say the view in the page's address, without a reload; what else is said there stays. One can go back from a choice. */
function tellAddress(parameters, { isChoice = false } = {}) {
  if (!hasAddress()) return;
  const address = new URL(location.href);
  const said = Object.entries(parameters);
  if (said.every(([name, value]) => (address.searchParams.get(name) ?? "") === value)) return;
  for (const [name] of said) address.searchParams.delete(name);
  for (const [name, value] of said) if (value) address.searchParams.append(name, value);
  if (isChoice) history.pushState(null, "", address);
  else history.replaceState(history.state, "", address);
}

/** An input's value for a moment such as 2026-03-01T12:00Z, on the reader's own clock, to the second. */
function wallClock(moment) {
  if (!moment) return "";
  const there = new Date(moment);
  return new Date(there - there.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "controls");
  const news = make("p", { class: "cd-muted cd-updated" });
  const notice = make("p", { class: "cd-notice", role: "status" });
  const problem = make("p", { class: "cd-problem", role: "alert" });
  // why the last choice was refused: it stays until the reader does something else, whatever the figures do
  const refusal = make("p", { class: "cd-problem cd-refusal", role: "alert" });
  const takeBack = () => (refusal.textContent = "");

  let unanswered = 0;
  async function tell(asks, value) {
    takeBack();
    root.setAttribute("aria-busy", "true");
    unanswered++;
    refusal.textContent = await ask(model, { action: asks, value });
    if (--unanswered === 0) root.removeAttribute("aria-busy");
  }

  const windows = model.get("windows").map(([name, label]) =>
    make("button", { type: "button", value: name, onclick: () => tell("window", name) }, label),
  );
  const limits = { min: "1971-01-02T00:00:00", max: "2998-12-30T23:59:59", step: 1 };
  const [from, to] = ["from", "to"].map((name) => make("input", { type: "datetime-local", name, ...limits }));
  const moments = make(
    "form",
    {
      class: "cd-moments",
      oninput: takeBack,
      onsubmit(event) {
        event.preventDefault();
        tell("period", [from, to].map(({ value }) => (value ? new Date(value).toISOString() : "")));
      },
    },
    make("label", {}, make("span", { class: "cd-muted" }, texts.from), from),
    make("label", {}, make("span", { class: "cd-muted" }, texts.to), to),
    make("button", { class: "cd-button cd-quiet" }, texts.show),
  );
  const version = make("select", { onchange: () => tell("model", version.value) });
  const answer = make("select", { onchange: () => tell("answer", answer.value) });
  const begins = !hasAddress() || new URL(location.href).searchParams.get("live") !== "off";
  const live = make(
    "button",
    { type: "button", class: "cd-button cd-quiet cd-live", "aria-pressed": String(begins), onclick: () => pause(isLive()) },
    make("span", { class: "cd-pulse", "aria-hidden": "true" }),
    texts.live,
  );
  const isLive = () => live.getAttribute("aria-pressed") === "true";
  function pause(paused) {
    live.setAttribute("aria-pressed", String(!paused));
    tellLive();
    if (!paused) look();
  }
  const tellLive = () => tellAddress({ live: isLive() ? "" : "off" }); // so that a page that is read in peace stays so
  // Until the view that the reader went to is there, the address is ahead: telling an older one would undo the way there.
  let travels = 0;
  async function travel() {
    tellLive();
    travels++;
    await tell("address", location.search);
    if (--travels === 0) tellAddress(model.get("address"));
  }

  root.append(
    make("div", { class: "cd-windows", role: "group", "aria-label": texts.window }, ...windows),
    make("label", { class: "cd-model" }, make("span", { class: "cd-muted" }, texts.model), version),
    make("label", { class: "cd-model" }, make("span", { class: "cd-muted" }, texts.answer), answer),
    make(
      "div",
      { class: "cd-fresh" },
      news,
      live,
      make("button", { type: "button", class: "cd-button cd-quiet", onclick: () => tell("refresh") }, texts.refresh),
    ),
    moments,
    refusal,
    notice,
    problem,
  );

  let told = {};
  function draw({ isChoice }) {
    const window = model.get("window");
    for (const button of windows) button.setAttribute("aria-pressed", String(button.value === window));
    const options = (known, chosen) =>
      known.map(([value, label]) => make("option", { value, selected: value === chosen }, label));
    const versions = model.get("model_versions").map((name) => [name, name]);
    version.replaceChildren(...options([["", texts.all_models], ...versions], model.get("model_version")));
    answer.replaceChildren(...options(model.get("answers"), model.get("answer")));
    moments.hidden = window !== "custom";
    const address = model.get("address");
    // what was typed and not yet asked for stays, whatever else is chosen meanwhile
    for (const input of [from, to]) if (address[input.name] !== told[input.name]) input.value = wallClock(address[input.name]);
    told = address;
    if (travels === 0) tellAddress(address, { isChoice });
  }
  const drawAgain = () => draw({ isChoice: true });
  const say = () => {
    news.textContent = model.get("updated");
    notice.textContent = model.get("notice");
    problem.textContent = model.get("problem");
  };
  const drawn = "change:window change:model_version change:model_versions change:answer change:address";
  const said = "change:updated change:notice change:problem";
  model.on(drawn, drawAgain);
  model.on(said, say);
  draw({ isChoice: false });
  say();

  // The next look waits for the answer to the last, and longer where that took long.
  let timer;
  let looking = false;
  let ended = false;
  async function look() {
    clearTimeout(timer);
    if (looking) return;
    looking = true;
    const started = performance.now();
    const seen = !document.hidden && root.isConnected;
    if (isLive() && seen && !root.hasAttribute("aria-busy")) {
      problem.textContent = (await ask(model, { action: "poll" })) || model.get("problem");
    }
    looking = false;
    if (!ended) timer = setTimeout(look, Math.max(model.get("period"), 4 * (performance.now() - started)));
  }
  const appear = () => document.hidden || look();
  document.addEventListener("visibilitychange", appear);
  if (hasAddress()) addEventListener("popstate", travel);
  timer = setTimeout(look, model.get("period"));
  tell("zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
  return () => {
    ended = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", appear);
    removeEventListener("popstate", travel);
    model.off(drawn, drawAgain);
    model.off(said, say);
  };
}

export default { render };
