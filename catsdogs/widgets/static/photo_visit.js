// The photos of this visit. Those that have an answer are kept in the tab, and a new page of the tab begins with them.

/**
 * Create the collection of the photos; `samples` are the sample pictures by name (see `sampleList`).
 * A photo is { number, name, sample, address, answered, kind, saved, restored }: `address` is that of its picture or null,
 * `kind` the kind of its answer, `saved` what the kernel wants to be told about it by a new page, and `restored` tells
 * that the kernel of this page has not received its picture.
 */
function visitPhotos(model, samples) {
  const photos = new Map(); // by number
  const answered = () => [...photos.values()].filter(({ kind }) => kind);

  for (const kept of readFromTab("photos", []).filter(isKept)) {
    const sample = samples.get(kept.sample);
    const shown = sample ? { name: sample.name, address: sample.address } : { address: readPicture(kept.number) };
    photos.set(kept.number, { ...kept, ...shown, answered: true, restored: !sample });
  }

  // of photos whose answer never came
  for (const number of pictureNumbers()) if (!photos.has(number)) removePicture(number);

  // a number is never given twice: a form may still be about the earlier photo
  let lastNumber = Math.max(0, ...[readFromTab("last", 0), ...photos.keys()].filter(Number.isSafeInteger));

  function isKept(one) {
    const hasFields = Number.isSafeInteger(one?.number) && typeof one.name === "string" && typeof one.saved === "object";
    return hasFields && one.saved && one.kind in model.get("texts");
  }

  function keep() {
    writeToTab("photos", answered().map(({ number, name, sample, kind, saved }) => ({ number, name, sample, kind, saved })));
  }

  /** Add a photo that is chosen now; `preview` is its picture, or null. */
  function add({ name, sample, address }, preview) {
    const number = (lastNumber += 1);
    writeToTab("last", lastNumber);
    const photo = { number, name, sample, address: address ?? (preview && URL.createObjectURL(preview)), answered: false };
    photos.set(number, photo);
    if (preview) {
      smallPicture(preview)
        .then((picture) => picture && photos.has(number) && writePicture(number, picture))
        .catch(console.error);
    }
    return photo;
  }

  /** Remove a photo, for example one that is cancelled. */
  function remove({ number }) {
    photos.delete(number);
    removePicture(number);
    keep();
  }

  /** Note what the kernel says about the photos. */
  function update() {
    const kinds = model.get("answer_kinds");
    for (const photo of photos.values()) {
      if (!kinds[photo.number]) continue;
      photo.kind = kinds[photo.number];
      photo.saved = model.get("saved_photos")[photo.number];
    }
    keep();
  }

  /** Return the picture of a photo for the kernel of this page, where it has none: for the person who agrees to keep it. */
  function missingPicture({ restored, address }) {
    return restored && address ? bytesOf(address) : new Uint8Array();
  }

  return {
    get: (number) => photos.get(number),
    all: () => [...photos.values()],
    answered,
    add,
    remove,
    update,
    missingPicture,
    clear: () => photos.clear(),
  };
}
