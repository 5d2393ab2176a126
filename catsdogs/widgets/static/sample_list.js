// Sample pictures, for a person who has no photo at hand.

/** Create the list; a click calls `take` with the sample. Returns { element, items, dispose }; `items` has them by name. */
function sampleList(model, take) {
  const texts = model.get("texts");
  const buttons = model.get("samples").map(({ name, title, credit, jpeg, address: url, small }) => {
    const address = url ?? URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" }));
    const item = { sample: name, name: `${title} (${credit})`, address };
    const button = make(
      "button",
      { type: "button", title: credit, onclick: () => take(item) },
      make("img", { src: small ?? address, alt: "" }),
      make("span", {}, title),
    );
    return { item, row: make("li", {}, button) };
  });
  const element = make("div", { class: "cd-samples" }, make("p", { class: "cd-muted" }, texts.samples), make("ul", {}, ...buttons.map(({ row }) => row)));
  return {
    element,
    items: new Map(buttons.map(({ item }) => [item.sample, item])),
    dispose: () => buttons.forEach(({ item }) => URL.revokeObjectURL(item.address)),
  };
}
