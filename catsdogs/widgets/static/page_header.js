// The header of an app's page: title, one sentence, and links to the other languages.

/** Render the widget `PageHeader`. */
function render({ model, el }) {
  const texts = model.get("texts");
  const root = createRoot(model, el, "header");
  const links = Object.entries(model.get("languages")).map(([code, name]) => {
    const address = () => {
      const url = new URL(location.href);
      url.searchParams.set("lang", code);
      return url.href;
    };
    const isCurrent = code === model.get("language");
    const onclick = (event) => (event.currentTarget.href = address()); // other widgets may have changed the page's address
    return make("a", { href: address(), lang: code, hreflang: code, "aria-current": isCurrent && "true", onclick }, name);
  });
  root.append(
    make("div", { class: "cd-brand" }, icon("cat"), icon("dog")),
    make("div", {}, make("h1", {}, texts.title), make("p", {}, texts.sentence)),
    make("nav", { "aria-label": texts.language }, ...links),
  );
  if (inVoila()) {
    document.documentElement.lang = model.get("language");
    document.title = texts.title;
    const setMainRole = () => {
      if (root.isConnected) root.closest(".catsdogs-app")?.setAttribute("role", "main");
      else requestAnimationFrame(setMainRole); // widgets are drawn before they are put into the page
    };
    setMainRole();
  }
}

export default { render };
