// The receipt codes of the visit: to copy, to save, and to open what is stored under them.

/** Render the widget `ReceiptCard`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "receipt");
  const title = make("h2", {}); // the answer above it may be hidden
  const list = make("ul", {});
  const status = make("p", { class: "cd-muted", role: "status" });
  const problem = errorParagraph();
  const saved = new Set(readFromTab("saved-receipts", [])); // codes that the person copied or saved
  const rows = new Map(); // code -> { row, mark }

  const codes = () => model.get("receipts").map(({ code }) => code);

  function markSaved(copied) {
    for (const code of copied) saved.add(code);
    writeToTab("saved-receipts", [...saved]);
    draw();
  }

  async function copy() {
    const lines = model.get("receipts").map(({ name, code }) => `${code}  ${name}`);
    try {
      await navigator.clipboard.writeText(lines.length > 1 ? lines.join("\n") : codes()[0]);
      markSaved(codes());
      status.textContent = texts.copied;
    } catch {
      getSelection().selectAllChildren(rows.size > 1 ? list : list.querySelector("code")); // no clipboard without https or permission
      status.textContent = texts.select;
    }
  }

  const where = `${texts.where} ${location.origin}${location.pathname}#my-data`;

  function save() {
    const lines = model.get("receipts").map(({ name, code }) => `${labelled(texts, texts.one, code)} (${name})\n`);
    download("catsdogs-receipts.txt", "text/plain", `${lines.join("")}${where}\n`);
    markSaved(codes());
    status.textContent = texts.saved;
  }

  async function open(code) {
    problem.textContent = await request(model, { action: "open", code });
  }

  function createRow({ name, code }) {
    const mark = make("span", { class: "cd-mark cd-muted" });
    const row = make(
      "li",
      {},
      make("span", { class: "cd-receipt-name" }, name),
      mark,
      make("code", { class: "cd-code" }, code),
      quietButton({ onclick: () => open(code), "aria-label": labelled(texts, texts.open, name) }, texts.open),
    );
    return { row, mark };
  }

  root.append(
    title,
    make("p", {}, texts.explanation),
    make("div", { class: "cd-row" }, quietButton({ onclick: copy }, texts.copy), quietButton({ onclick: save }, texts.save)), // for all
    status,
    list,
    make("p", { class: "cd-where" }, where), // on paper only: here "My data" is below
    problem,
  );
  root.addEventListener("copy", () => {
    const text = String(getSelection());
    markSaved(codes().filter((code) => text.includes(code)));
  });

  function draw() {
    const receipts = model.get("receipts");
    for (const [code, { row }] of rows) {
      if (codes().includes(code)) continue;
      row.remove();
      rows.delete(code);
    }
    for (const [position, receipt] of receipts.entries()) {
      if (!rows.has(receipt.code)) rows.set(receipt.code, createRow(receipt));
      const { row, mark } = rows.get(receipt.code);
      if (list.children[position] !== row) list.insertBefore(row, list.children[position] ?? null);
      mark.textContent = saved.has(receipt.code) ? texts.is_saved : texts.not_saved;
      mark.classList.toggle("cd-unsaved", !saved.has(receipt.code));
    }
    root.toggleAttribute("data-unsaved", codes().some((code) => !saved.has(code))); // before the page is left, it asks
    title.textContent = receipts.length > 1 ? texts.several : texts.one;
    root.hidden = !receipts.length;
  }
  model.on("change:receipts", () => {
    status.textContent = problem.textContent = "";
    draw();
  });
  draw();
  return onForget(() => saved.clear());
}

export default { render };
