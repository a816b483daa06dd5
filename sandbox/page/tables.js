// table and data_table, with paging and sorting for the second.

import { h, icon, iconButton } from "./dom.js";
import { richText, richTextWords } from "./richtext.js";
import { plainText } from "./mrkdwn.js";

function cellNodes(cell, ctx) {
  if (!cell) return "";
  if (cell.type === "rich_text") return richText(cell, ctx);
  return plainText(cell.text ?? String(cell.value ?? ""), false);
}

function cellWords(cell) {
  return cell?.type === "rich_text" ? richTextWords(cell).trim() : cell?.text ?? String(cell?.value ?? "");
}

/** The number a cell stands for, or null. */
export function cellNumber(cell) {
  if (cell?.type === "raw_number") return Number(cell.value);
  const words = cellWords(cell).replace(/[\s,]/g, "").replace(/^−/, "-");
  return /^-?\d+(\.\d+)?%?$/.test(words) ? Number.parseFloat(words) : null;
}

function alignment(rows, column, setting) {
  if (setting?.align) return setting.align;
  const body = rows.slice(1).map((row) => row[column]).filter(Boolean);
  return body.length && body.every((cell) => cell.type === "raw_number") ? "right" : "left";
}

function cellClass(align, wrapped) {
  return `align-${align}${wrapped ? " wrapped" : ""}`;
}

export function table(block, ctx) {
  const rows = block.rows ?? [];
  const settings = block.column_settings ?? [];
  const width = Math.max(0, ...rows.map((row) => row.length));
  const classes = Array.from({ length: width }, (_, column) => cellClass(alignment(rows, column, settings[column]), settings[column]?.is_wrapped));
  const [head, ...body] = rows;
  return h("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": "Table" }, h("table", { class: "table" },
    h("thead", {}, h("tr", {}, (head ?? []).map((cell, column) => h("th", { scope: "col", class: classes[column] }, cellNodes(cell, ctx))))),
    h("tbody", {}, body.map((row) => h("tr", {}, row.map((cell, column) => h("td", { class: classes[column] }, cellNodes(cell, ctx))))))));
}

function compare(one, other) {
  const [first, second] = [cellNumber(one), cellNumber(other)];
  if (first !== null && second !== null) return first - second;
  return cellWords(one).localeCompare(cellWords(other), "en", { numeric: true });
}

export function dataTable(block, ctx) {
  const [head, ...body] = block.rows ?? [];
  const size = block.page_size ?? 5;
  const named = block.row_header_column_index;
  const classes = (head ?? []).map((_, column) => cellClass(alignment(block.rows, column), false));
  const state = { page: 0, column: -1, ascending: true };
  const holder = h("div", { class: "data-table" });

  const sortBy = (column) => {
    if (state.column !== column) Object.assign(state, { column, ascending: true });
    else if (state.ascending) state.ascending = false;
    else state.column = -1;
    state.page = 0;
    draw();
    holder.querySelectorAll("th button")[column]?.focus();
  };
  const turn = (by) => {
    state.page += by;
    draw();
    holder.querySelector(by < 0 ? ".previous:not([disabled])" : ".next:not([disabled])")?.focus();
  };
  const heading = (cell, column) => {
    const sorted = state.column === column ? (state.ascending ? "ascending" : "descending") : "none";
    return h("th", { scope: "col", class: classes[column], "aria-sort": sorted },
      h("button", { type: "button", class: "sort", onclick: () => sortBy(column) }, h("span", {}, cellNodes(cell, ctx)), icon("sort")));
  };
  function draw() {
    const order = [...body];
    if (state.column >= 0) {
      order.sort((one, other) => compare(one[state.column], other[state.column]) * (state.ascending ? 1 : -1));
    }
    const first = state.page * size;
    const shown = order.slice(first, first + size);
    const last = first + shown.length;
    holder.replaceChildren(
      h("div", { class: "table-scroll" }, h("table", { class: "table" },
        h("caption", {}, block.caption ?? ""),
        h("thead", {}, h("tr", {}, (head ?? []).map(heading))),
        h("tbody", {}, shown.map((row) => h("tr", {}, row.map((cell, column) => h(column === named ? "th" : "td", {
          class: classes[column], scope: column === named ? "row" : null }, cellNodes(cell, ctx)))))))),
      body.length > size ? h("div", { class: "paging" },
        h("span", { role: "status" }, `${first + 1}–${last} of ${body.length}`),
        iconButton("left", "Previous page", () => turn(-1), { class: "icon-button previous", disabled: first === 0 }),
        iconButton("right", "Next page", () => turn(1), { class: "icon-button next", disabled: last >= body.length })) : "",
    );
  }
  draw();
  return holder;
}

/** A CSV text as a table, the first lines of it. */
export function csvTable(text, most = 12) {
  const rows = parseCsv(text.replace(/^\uFEFF/, ""));
  const cells = rows.slice(0, most + 1).map((row) => row.map((words) => ({ type: "raw_text", text: words })));
  const numeric = (cells[0] ?? []).map((_, column) => cells.length > 1 && cells.slice(1).every((row) => !row[column]?.text || cellNumber(row[column]) !== null));
  const node = table({ rows: cells, column_settings: numeric.map((is) => (is ? { align: "right" } : null)) }, null);
  const more = rows.length - cells.length;
  return h("div", {}, node, more > 0 ? h("p", { class: "muted small" }, `and ${more} more rows`) : null);
}

export function parseCsv(text) {
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const row = rows[rows.length - 1];
    const letter = text[at];
    if (quoted) {
      if (letter !== '"') row[row.length - 1] += letter;
      else if (text[at + 1] === '"') { row[row.length - 1] += '"'; at += 1; } else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === ",") row.push("");
    else if (letter === "\n") rows.push([""]);
    else if (letter !== "\r") row[row.length - 1] += letter;
  }
  if (rows.length > 1 && rows[rows.length - 1].join("") === "") rows.pop();
  return rows;
}
