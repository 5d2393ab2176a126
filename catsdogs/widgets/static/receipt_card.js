function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "receipt");
  const code = make("input", { readonly: true, "aria-label": texts.code, class: "cd-code", onfocus: () => code.select() });
  const news = make("p", { class: "cd-muted", role: "status" });
  const copy = make("button", {
    type: "button",
    class: "cd-button cd-quiet",
    async onclick() {
      try {
        await navigator.clipboard.writeText(code.value);
        news.textContent = texts.copied;
      } catch {
        code.select(); // no clipboard without https, or without leave
        news.textContent = texts.select;
      }
    },
  }, texts.copy);
  root.append(make("h3", {}, texts.title), make("p", {}, texts.explanation), make("div", { class: "cd-row" }, code, copy), news);

  function draw() {
    code.value = model.get("receipt");
    code.size = Math.max(20, code.value.length);
    news.textContent = "";
    root.hidden = !code.value;
  }
  model.on("change:receipt", draw);
  draw();
}

export default { render };
