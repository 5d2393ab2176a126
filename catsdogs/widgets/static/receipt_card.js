function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "receipt");
  const code = make("code", { class: "cd-code" });
  const news = make("p", { class: "cd-muted", role: "status" });
  const problem = make("p", { class: "cd-problem", role: "alert" });

  async function copy() {
    try {
      await navigator.clipboard.writeText(code.textContent);
      news.textContent = texts.copied;
    } catch {
      getSelection().selectAllChildren(code); // no clipboard without https, or without leave
      news.textContent = texts.select;
    }
  }

  function save() {
    const where = `${texts.where} ${location.origin}${location.pathname}#my-data`;
    download("catsdogs-receipt.txt", "text/plain", `${texts.title}: ${code.textContent}\n${where}\n`);
    news.textContent = texts.saved;
  }

  async function open() {
    problem.textContent = await ask(model, { wish: "open" });
  }

  const button = (text, onclick) => make("button", { type: "button", class: "cd-button cd-quiet", onclick }, text);
  root.append(
    make("h3", {}, texts.title),
    make("p", {}, texts.explanation),
    code,
    make("div", { class: "cd-row" }, button(texts.copy, copy), button(texts.save, save), button(texts.open, open)),
    news,
    problem,
  );

  function draw() {
    code.textContent = model.get("receipt");
    news.textContent = problem.textContent = "";
    root.hidden = !code.textContent;
  }
  model.on("change:receipt", draw);
  draw();
}

export default { render };
