function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "mydata");
  const moment = (text) =>
    new Intl.DateTimeFormat(model.get("language"), { dateStyle: "long", timeStyle: "short" }).format(new Date(text));

  const code = make("input", { type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "characters" });
  const show = make("button", { type: "submit", class: "cd-button cd-quiet" }, texts.show);
  const problem = make("p", { class: "cd-problem", role: "alert" });
  const news = make("p", { class: "cd-thanks", role: "status", tabindex: -1 });
  const held = make("div", { class: "cd-held" });

  async function wish(content) {
    root.setAttribute("aria-busy", "true");
    problem.textContent = news.textContent = "";
    problem.textContent = await ask(model, content);
    root.removeAttribute("aria-busy");
  }

  const form = make(
    "form",
    {
      onsubmit(event) {
        event.preventDefault();
        if (!root.hasAttribute("aria-busy")) wish({ action: "open", code: code.value });
      },
    },
    make("label", {}, texts.code, code),
    show,
  );
  const panel = make(
    "details",
    { id: "my-data" },
    make("summary", {}, texts.title),
    make("div", { class: "cd-panel" }, make("p", { class: "cd-muted" }, texts.explanation), form, problem, news, held),
  );
  root.append(panel);

  /** A button that asks before it does what cannot be undone. */
  function careful(text, question, content) {
    const action = make("button", { type: "button", class: "cd-button cd-quiet cd-grave", onclick: () => sure(true) }, text);
    const yes = make("button", { type: "button", class: "cd-button cd-alarm", onclick: () => wish(content) }, texts.yes);
    const no = make("button", { type: "button", class: "cd-button cd-quiet", onclick: () => sure(false) }, texts.no);
    const dialog = make("div", { class: "cd-sure", role: "group", "aria-label": question, hidden: true }, make("p", {}, question), yes, no);
    const sure = (asked) => {
      dialog.hidden = !asked;
      action.hidden = asked;
      (asked ? no : action).focus();
    };
    return [action, dialog];
  }

  const decision = ({ moment: decided, withdrawn, purposes }) =>
    make(
      "div",
      { class: "cd-decision" },
      make("h4", {}, texts.decided.replace("{moment}", moment(decided))),
      ...purposes.map(([purpose, label]) =>
        make("div", { class: "cd-agreed" }, make("span", {}, label), ...careful(texts.withdraw, texts.sure_withdraw, { action: "withdraw", purpose })),
      ),
      purposes.length ? null : make("p", { class: "cd-muted" }, texts.withdrawn.replace("{moment}", moment(withdrawn))),
    );

  const record = ({ facts, moment: made, jpeg }) =>
    make(
      "div",
      { class: "cd-kept" },
      jpeg ? make("img", { src: `data:image/jpeg;base64,${jpeg}`, alt: texts.photo }) : make("p", { class: "cd-muted" }, texts.no_photo),
      make("dl", { class: "cd-facts" }, ...[["", moment(made)], ...facts].map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value)))),
    );

  function draw() {
    const { decisions, records, document: everything } = model.get("stored_data");
    news.textContent = model.get("status");
    if (held.contains(document.activeElement)) news.focus(); // the button that was pressed goes
    held.replaceChildren();
    if (!everything) return;
    code.value = model.get("code");
    const save = () => download("catsdogs-my-data.json", "application/json", everything);
    held.append(
      ...records.map(record),
      ...decisions.map(decision),
      make("div", { class: "cd-row" }, make("button", { type: "button", class: "cd-button cd-quiet", onclick: save }, texts.save), ...careful(texts.erase, texts.sure_erase, { action: "erase" })),
    );
    if (!panel.open) reveal();
  }

  function reveal() {
    panel.open = true;
    panel.scrollIntoView({ block: "nearest" });
    code.focus({ preventScroll: true });
  }

  // A page of ours leads here by #my-data; an app's page is hidden while it is made.
  const seen = new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width) return;
    seen.disconnect();
    if (location.hash === "#my-data") reveal();
  });
  seen.observe(root);
  model.on("change:stored_data change:status", draw);
  draw();
  return () => seen.disconnect();
}

export default { render };
