// Files that the kernel makes.

/** Save the CSV files that the kernel sends, with a byte order mark, by which spreadsheets recognise UTF-8. */
function saveReceivedFiles(model) {
  model.on("msg:custom", ({ file, text }) => {
    if (file) download(file, "text/csv;charset=utf-8", `\ufeff${text}`);
  });
}
