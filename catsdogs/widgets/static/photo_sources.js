// The ways in which a photo comes into the page: chosen, dropped or pasted.

/**
 * Call `take(files)` with the files that a person chooses, drops or pastes, and `refuseFolder()` for a folder.
 * Returns a function that stops this.
 */
function watchSources({ root, zone, input, take, refuseFolder }) {
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // so that choosing the same file again is a change
  });

  // In Voilà the whole page accepts photos; in JupyterLab only this widget does.
  const area = inVoila() ? document : root;
  const listeners = {
    dragover(event) {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      zone.classList.add("cd-over");
    },
    dragleave(event) {
      if (!event.relatedTarget || !area.contains(event.relatedTarget)) zone.classList.remove("cd-over");
    },
    drop(event) {
      zone.classList.remove("cd-over");
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      const folder = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
      if (folder) refuseFolder();
      else take([...event.dataTransfer.files]);
    },
    paste(event) {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) event.preventDefault();
      take(files);
    },
  };
  for (const [event, listener] of Object.entries(listeners)) area.addEventListener(event, listener);
  return () => {
    for (const [event, listener] of Object.entries(listeners)) area.removeEventListener(event, listener);
  };
}
