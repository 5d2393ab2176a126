function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "masthead");
  const links = Object.entries(model.get("languages")).map(([code, name]) => {
    const address = new URL(location.href);
    address.searchParams.set("lang", code);
    const here = code === model.get("language");
    return make("a", { href: address.href, lang: code, hreflang: code, "aria-current": here && "true" }, name);
  });
  root.append(
    make("div", { class: "cd-brand" }, icon("cat"), icon("dog")),
    make("div", {}, make("h1", {}, texts.title), make("p", {}, texts.sentence)),
    make("nav", { "aria-label": texts.language }, ...links),
  );
  if (document.body.hasAttribute("data-voila")) {
    document.documentElement.lang = model.get("language");
    document.title = texts.title;
    const mark = () => {
      if (root.isConnected) root.closest(".catsdogs-app")?.setAttribute("role", "main");
      else requestAnimationFrame(mark); // widgets are drawn first and put into the page later
    };
    mark();
  }
}

export default { render };
