function render({ model, el: place }) {
  const texts = model.get("texts");
  const root = begin(model, place, "header");
  const links = Object.entries(model.get("languages")).map(([code, name]) => {
    const address = () => {
      const same = new URL(location.href);
      same.searchParams.set("lang", code);
      return same.href;
    };
    const here = code === model.get("language");
    const now = (event) => {
      event.currentTarget.href = address(); // the page may have changed it since
      const inThisTab = !(event.ctrlKey || event.shiftKey || event.metaKey || event.altKey);
      if (inThisTab) addEventListener("pagehide", () => document.dispatchEvent(new Event("catsdogs:language")), { once: true });
    };
    return make("a", { href: address(), lang: code, hreflang: code, "aria-current": here && "true", onclick: now }, name);
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
