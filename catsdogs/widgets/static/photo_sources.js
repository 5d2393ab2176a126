// The ways in which a photo comes into the page: chosen, taken, dropped or pasted.

const PICTURE_NAME = /\.(jpe?g|jfif|png|gif|bmp|webp|tiff?|heic|heif|hif|avif)$/i;

/** Return whether a file of a folder is a picture: hidden files, and those that systems put into folders, are not. */
const isPicture = ({ name, type }) => !name.startsWith(".") && (type.startsWith("image/") || PICTURE_NAME.test(name));

/** Return the pictures in a folder that was dropped and in the folders in it, by name; somewhat more than `most` at most. */
async function picturesIn(folder, most) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 at once
    if (!some.length) break;
    entries.push(...some);
  }
  entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const pictures = [];
  for (const entry of entries) {
    if (pictures.length > most) break;
    if (entry.isDirectory) {
      if (!entry.name.startsWith(".")) pictures.push(...(await picturesIn(entry, most)));
    } else {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      if (isPicture(file)) pictures.push(file);
    }
  }
  return pictures;
}

/** Return whether something that is dragged or pasted is a link, such as a picture of another page. */
const isLink = (transfer) => {
  const types = transfer?.types ?? [];
  if (types.includes("text/uri-list")) return true;
  return /^\s*(https?|data|blob|file):\S+\s*$/i.test(transfer?.getData("text/plain") ?? "") || /<img\b/i.test(transfer?.getData("text/html") ?? "");
};

/** Return whether a person writes at the target of an event: what is dropped or pasted there is text. */
const isWriting = ({ target }) => Boolean(target.closest?.("input:not([type=file]), textarea, [contenteditable]"));

/**
 * Call `take(files)` with the files that a person chooses, takes, drops or pastes, of folders at most `mostFiles`, and
 * `explain(name)` with the name of the text that says why there are none. Returns a function that stops this.
 */
function watchSources({ root, zone, input, take, mostFiles, explain }) {
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // so that choosing the same file again is a change
  });

  /** Take what was dropped: files, and the pictures in folders. */
  async function takeDropped(files, entries) {
    const folders = entries.filter((entry) => entry?.isDirectory);
    if (!folders.length) return take(files);
    try {
      const pictures = files.filter((_, position) => !entries[position]?.isDirectory);
      for (const folder of folders) pictures.push(...(await picturesIn(folder, mostFiles)));
      if (!pictures.length) return explain("no_photo_in_folder");
      await take(pictures.slice(0, mostFiles));
      if (pictures.length > mostFiles) explain("too_many");
    } catch (error) {
      console.error(error); // for example, the folder was deleted or its permissions forbid reading
      explain("unreadable");
    }
  }

  // In Voilà the whole page accepts photos; in JupyterLab only this widget does.
  const area = inVoila() ? document : root;
  const listeners = {
    dragover(event) {
      const types = event.dataTransfer?.types ?? [];
      if (isWriting(event) || !["Files", "text/uri-list", "text/html", "text/plain"].some((type) => types.includes(type))) return;
      event.preventDefault(); // else the browser would leave the page to open what is dropped
      zone.classList.add("cd-over");
    },
    dragleave(event) {
      if (!event.relatedTarget || !area.contains(event.relatedTarget)) zone.classList.remove("cd-over");
    },
    drop(event) {
      zone.classList.remove("cd-over");
      const transfer = event.dataTransfer;
      if (!transfer || isWriting(event)) return;
      const files = [...transfer.files];
      if (files.length) {
        event.preventDefault();
        const items = [...transfer.items].filter(({ kind }) => kind === "file");
        takeDropped(files, items.map((item) => item.webkitGetAsEntry?.())); // the items are gone after this event
      } else {
        event.preventDefault(); // Firefox opens links in plain text, too
        if (isLink(transfer)) explain("link");
      }
    },
    paste(event) {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) {
        event.preventDefault();
        take(files);
      } else if (!isWriting(event) && isLink(event.clipboardData)) {
        explain("link");
      }
    },
  };
  for (const [event, listener] of Object.entries(listeners)) area.addEventListener(event, listener);
  return () => {
    for (const [event, listener] of Object.entries(listeners)) area.removeEventListener(event, listener);
  };
}
