function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "receipt");
  const code = make("code", { class: "cd-code" });
  const news = make("p", { class: "cd-muted", role: "status" });
  const problem = make("p", { class: "cd-problem", role: "alert" });

  const earlier = carriedOver("receipts");
  const shown = new Set(earlier); // all codes that this page has shown
  const kept = new Set(); // by the person: copied or saved
  const open = (code) => !model.get("erased").includes(code);
  const codes = () => [model.get("receipt"), ...earlier].filter((code) => code && open(code));

  const keep = () => codes().forEach((code) => kept.add(code));

  async function copy() {
    try {
      await navigator.clipboard.writeText(codes().join("\n"));
      keep();
      news.textContent = texts.copied;
    } catch {
      getSelection().selectAllChildren(code.textContent ? code : list); // no clipboard without https, or without leave
      news.textContent = texts.select;
    }
  }

  function save() {
    const where = `${texts.where} ${location.origin}${location.pathname}#my-data`;
    const lines = codes().map((code) => `${texts.title}: ${code}\n`);
    download("catsdogs-receipt.txt", "text/plain", `${lines.join("")}${where}\n`);
    keep();
    news.textContent = texts.saved;
  }

  async function look(code) {
    problem.textContent = await ask(model, { action: "open", code });
  }

  const button = (text, onclick) => make("button", { type: "button", class: "cd-button cd-quiet", onclick }, text);
  const explanation = make("p", {}, texts.explanation);
  const see = button(texts.open, () => look(code.textContent));
  const rows = earlier.map((code) => ({
    code,
    row: make("li", { class: "cd-row" }, make("code", { class: "cd-code" }, code), button(texts.open, () => look(code))),
  }));
  const list = make("ul", {}, ...rows.map(({ row }) => row));
  const before = make("div", { class: "cd-earlier" }, make("p", {}, texts.earlier), list);
  root.append(
    make("h3", {}, texts.title),
    explanation,
    code,
    before,
    make("div", { class: "cd-row" }, button(texts.copy, copy), button(texts.save, save), see),
    news,
    problem,
  );
  root.addEventListener("copy", () => {
    const text = String(getSelection());
    for (const code of codes()) if (text.includes(code)) kept.add(code);
  });

  function draw() {
    const now = model.get("receipt");
    if (now) shown.add(now);
    code.textContent = now;
    explanation.hidden = code.hidden = see.hidden = !now;
    for (const { code, row } of rows) row.hidden = !open(code);
    before.hidden = rows.every(({ row }) => row.hidden);
    news.textContent = problem.textContent = "";
    root.hidden = !codes().length;
  }
  model.on("change:receipt change:erased", draw);
  draw();
  return carryOver("receipts", () => [...shown].filter((code) => open(code) && !kept.has(code)));
}

export default { render };
