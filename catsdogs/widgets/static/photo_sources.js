// Where photos come from: chosen, dropped, pasted.

/**
 * Hand what a person brings to `take(files)`, and a folder, which is no photo, to `refuseFolder()`.
 * Gives what ends it.
 */
function watchSources({ root, zone, input, take, refuseFolder }) {
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // choosing the same file again is a change, too
  });

  // In Voilà the whole page takes photos; in JupyterLab only this part, the rest belongs to others.
  const area = document.body.hasAttribute("data-voila") ? document : root;
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
