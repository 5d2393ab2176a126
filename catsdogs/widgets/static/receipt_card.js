function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "receipt");
  const code = make("code", { class: "cd-code" });
  const news = make("p", { class: "cd-muted", role: "status" });
  const copy = make("button", {
    type: "button",
    class: "cd-button cd-quiet",
    async onclick() {
      try {
        await navigator.clipboard.writeText(code.textContent);
        news.textContent = texts.copied;
      } catch {
        getSelection().selectAllChildren(code); // no clipboard without https, or without leave
        news.textContent = texts.select;
      }
    },
  }, texts.copy);
  root.append(make("h3", {}, texts.title), make("p", {}, texts.explanation), make("div", { class: "cd-row" }, code, copy), news);

  function draw() {
    code.textContent = model.get("receipt");
    news.textContent = "";
    root.hidden = !code.textContent;
  }
  model.on("change:receipt", draw);
  draw();
}

export default { render };
