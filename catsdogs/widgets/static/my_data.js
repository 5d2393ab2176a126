// What is stored under a receipt code: to see, withdraw or erase.

/** Render the widget `MyData`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "mydata");
  const formatMoment = (text) =>
    new Intl.DateTimeFormat(model.get("language"), { dateStyle: "long", timeStyle: "short" }).format(new Date(text));

  const code = make("input", { type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "characters" });
  const show = make("button", { type: "submit", class: "cd-button cd-quiet" }, texts.show);
  const problem = errorParagraph();
  const status = make("p", { class: "cd-thanks", role: "status", tabindex: -1 });
  const stored = make("div", { class: "cd-stored" });

  function send(content) {
    return whileBusy(root, async () => {
      problem.textContent = status.textContent = "";
      problem.textContent = await request(model, content);
    });
  }

  const form = make(
    "form",
    {
      onsubmit(event) {
        event.preventDefault();
        send({ action: "open", code: code.value });
      },
    },
    make("label", {}, texts.code, code),
    show,
  );
  const panel = make(
    "details",
    { id: "my-data" },
    make("summary", {}, texts.title),
    make("div", { class: "cd-panel" }, make("p", { class: "cd-muted" }, texts.explanation), form, problem, status, stored),
  );
  root.append(panel);

  /** Create a button that asks for confirmation, and the question that it shows. */
  function confirmedButton(text, question, content) {
    const { element, ask } = confirmation(texts.yes, texts.no);
    const button = quietButton({ class: "cd-button cd-quiet cd-grave", onclick: () => ask(question, button, () => send(content)) }, text);
    return [button, element];
  }

  const decision = ({ moment, withdrawn, purposes }) =>
    make(
      "div",
      { class: "cd-decision" },
      make("p", { class: "cd-decided" }, texts.decided.replace("{moment}", formatMoment(moment))),
      ...purposes.map(([purpose, label]) =>
        make("div", { class: "cd-agreed" }, make("span", {}, label), ...confirmedButton(texts.withdraw, texts.confirm_withdraw, { action: "withdraw", purpose, code: model.get("code") })),
      ),
      purposes.length ? null : make("p", { class: "cd-muted" }, texts.withdrawn.replace("{moment}", formatMoment(withdrawn))),
    );

  const record = ({ facts, moment, jpeg }) =>
    make(
      "div",
      { class: "cd-record" },
      jpeg ? make("img", { src: `data:image/jpeg;base64,${jpeg}`, alt: texts.photo }) : make("p", { class: "cd-muted" }, texts.no_photo),
      make("dl", { class: "cd-facts" }, ...[["", formatMoment(moment)], ...facts].map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value)))),
    );

  function draw() {
    const { decisions, records, document: json } = model.get("stored_data");
    status.textContent = model.get("status");
    if (stored.contains(document.activeElement)) status.focus(); // the focused button is removed
    stored.replaceChildren();
    if (!json) return;
    code.value = model.get("code");
    const save = () => download("catsdogs-my-data.json", "application/json", json);
    stored.append(
      ...records.map(record),
      ...decisions.map(decision),
      make("div", { class: "cd-row" }, quietButton({ onclick: save }, texts.save), ...confirmedButton(texts.erase, texts.confirm_erase, { action: "erase", code: model.get("code") })),
    );
    if (!panel.open) reveal();
  }

  function reveal() {
    panel.open = true;
    panel.scrollIntoView({ block: "nearest" });
    code.focus({ preventScroll: true });
  }

  // The start page and receipts link to #my-data, which may be opened in this tab, too.
  const revealIfLinked = () => location.hash === "#my-data" && reveal();
  addEventListener("hashchange", revealIfLinked);
  // Voilà hides the page while it is built, so wait until the widget has a width.
  const visible = new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width) return;
    visible.disconnect();
    revealIfLinked();
  });
  visible.observe(root);
  model.on("change:stored_data change:status", draw);
  draw();
  return () => {
    visible.disconnect();
    removeEventListener("hashchange", revealIfLinked);
  };
}

export default { render };
