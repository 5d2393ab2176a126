// The photos of this visit, each with its answer.

/** Make the list of `photos()`; a touch calls `recall(photo)`. */
function visitList(model, photos, shown, recall) {
  const texts = model.get("texts");
  const element = make("ol", { class: "cd-visit", "aria-label": texts.visit, hidden: true });

  function draw() {
    const answers = model.get("answered");
    const answered = photos().filter(({ number }) => answers[number]);
    element.hidden = answered.length < 2;
    element.replaceChildren(
      ...answered.map((photo) => {
        const answer = answers[photo.number];
        const button = make(
          "button",
          {
            type: "button",
            "aria-label": `${photo.name}: ${texts[answer]}`,
            "aria-current": photo.number === shown() && "true",
            onclick: () => recall(photo),
          },
          photo.address ? make("img", { src: photo.address, alt: "" }) : icon("photo"),
          icon(answer),
        );
        return make("li", {}, button);
      }),
    );
  }
  return { element, draw };
}
