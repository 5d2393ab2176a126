// The receipt codes: to copy, to save, and to open what is stored under them.

/** Render the widget `ReceiptCard`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "receipt");
  const current = make("code", { class: "cd-code" });
  const status = make("p", { class: "cd-muted", role: "status" });
  const problem = errorParagraph();

  const earlier = takeFromOtherLanguage("receipts");
  const shown = new Set(earlier); // all codes that this page has shown
  const saved = new Set(); // codes that the person copied or saved
  const isValid = (code) => !model.get("erased").includes(code);
  const codes = () => [model.get("receipt"), ...earlier].filter((code) => code && isValid(code));
  const markSaved = () => codes().forEach((code) => saved.add(code));

  async function copy() {
    try {
      await navigator.clipboard.writeText(codes().join("\n"));
      markSaved();
      status.textContent = texts.copied;
    } catch {
      getSelection().selectAllChildren(current.textContent ? current : list); // no clipboard without https or permission
      status.textContent = texts.select;
    }
  }

  function save() {
    const where = `${texts.where} ${location.origin}${location.pathname}#my-data`;
    const lines = codes().map((code) => `${texts.title}: ${code}\n`);
    download("catsdogs-receipt.txt", "text/plain", `${lines.join("")}${where}\n`);
    markSaved();
    status.textContent = texts.saved;
  }

  async function open(code) {
    problem.textContent = await request(model, { action: "open", code });
  }

  const explanation = make("p", {}, texts.explanation);
  const openCurrent = quietButton({ onclick: () => open(current.textContent) }, texts.open);
  const rows = earlier.map((code) => ({
    code,
    row: make("li", { class: "cd-row" }, make("code", { class: "cd-code" }, code), quietButton({ onclick: () => open(code) }, texts.open)),
  }));
  const list = make("ul", {}, ...rows.map(({ row }) => row));
  const earlierCodes = make("div", { class: "cd-earlier" }, make("p", {}, texts.earlier), list);
  root.append(
    make("h3", {}, texts.title),
    explanation,
    current,
    earlierCodes,
    make("div", { class: "cd-row" }, quietButton({ onclick: copy }, texts.copy), quietButton({ onclick: save }, texts.save), openCurrent),
    status,
    problem,
  );
  root.addEventListener("copy", () => {
    const text = String(getSelection());
    for (const code of codes()) if (text.includes(code)) saved.add(code);
  });

  function draw() {
    const receipt = model.get("receipt");
    if (receipt) shown.add(receipt);
    current.textContent = receipt;
    explanation.hidden = current.hidden = openCurrent.hidden = !receipt;
    for (const { code, row } of rows) row.hidden = !isValid(code);
    earlierCodes.hidden = rows.every(({ row }) => row.hidden);
    status.textContent = problem.textContent = "";
    root.hidden = !codes().length;
  }
  model.on("change:receipt change:erased", draw);
  draw();
  return keepForOtherLanguage("receipts", () => [...shown].filter((code) => isValid(code) && !saved.has(code)));
}

export default { render };
