/** Save the files that the kernel sends; spreadsheets know UTF-8 by the mark at its start. */
function saveFiles(model) {
  model.on("msg:custom", ({ file, text }) => {
    if (file) download(file, "text/csv;charset=utf-8", `\ufeff${text}`);
  });
}
