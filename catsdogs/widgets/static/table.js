// Tables of text.

/** Create the head of a table: one row with the names of the columns. */
function tableHead(columns) {
  return make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name))));
}

/** Create the cells of a row. Each carries the name of its column, which a narrow page shows beside it. */
function tableCells(texts, columns) {
  return texts.map((text, index) => make("td", { "data-column": columns[index] }, text));
}
