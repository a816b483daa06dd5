// The markdown block: the common part of Markdown, built as nodes.

import { h } from "./dom.js";
import { emojiNode, linkNode } from "./mrkdwn.js";
import { EMOJI } from "./emoji.js";

const INLINE = [
  [/^`([^`]+)`/, (found) => h("code", {}, found[1])],
  [/^\*\*(?=\S)([\s\S]+?\S|\S)\*\*/, (found, ctx) => h("strong", {}, spans(found[1], ctx))],
  [/^__(?=\S)([\s\S]+?\S|\S)__/, (found, ctx) => h("strong", {}, spans(found[1], ctx))],
  [/^\*(?=\S)([^*\n]*\S)\*/, (found, ctx) => h("em", {}, spans(found[1], ctx))],
  [/^_(?=\S)([^_\n]*\S)_(?![\p{L}\p{N}])/u, (found, ctx) => h("em", {}, spans(found[1], ctx))],
  [/^~~(?=\S)([^~\n]*\S)~~/, (found, ctx) => h("s", {}, spans(found[1], ctx))],
  [/^\[([^\]\n]+)\]\(([^)\s]+)\)/, (found, ctx) => linkNode(found[2], found[1], ctx)],
  [/^<(https?:\/\/[^>\s]+)>/, (found, ctx) => linkNode(found[1], found[1], ctx)],
  [/^https?:\/\/[^\s<>)]+[^\s<>).,;:!?]/, (found, ctx) => linkNode(found[0], found[0], ctx)],
  [/^:([a-z0-9_+-]+):/, (found) => (EMOJI[found[1]] ? emojiNode(found[1]) : null)],
];

function spans(text, ctx) {
  const nodes = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    if (text[at] === "\\" && /[\\`*_~[\]()#>+.!|-]/.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    const inWord = /[\p{L}\p{N}]/u.test(text[at - 1] ?? "") && "_h".includes(text[at]);
    const match = inWord ? null : firstMatch(text.slice(at), ctx);
    if (match) {
      if (plain) nodes.push(plain);
      plain = "";
      nodes.push(match.node);
      at += match.length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  if (plain) nodes.push(plain);
  return nodes;
}

function firstMatch(rest, ctx) {
  if (!/^[`*_~[<h:]/.test(rest)) return null;
  for (const [pattern, draw] of INLINE) {
    const found = pattern.exec(rest);
    const node = found && draw(found, ctx);
    if (node) return { node, length: found[0].length };
  }
  return null;
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

function table(lines, ctx) {
  const align = cells(lines[1]).map((cell) => (/^:-+:$/.test(cell) ? "center" : /-:$/.test(cell) ? "right" : "left"));
  const row = (line, tag) => h("tr", {}, cells(line).map((cell, index) => h(tag, { class: `align-${align[index] ?? "left"}` }, spans(cell, ctx))));
  return h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("thead", {}, row(lines[0], "th")), h("tbody", {}, lines.slice(2).map((line) => row(line, "td")))));
}

function listNode(lines, ctx) {
  const ordered = /^\s*\d+[.)]/.test(lines[0]);
  const base = /^\s*/.exec(lines[0])[0].length;
  const items = [];
  for (const line of lines) {
    const found = /^(\s*)(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line);
    if (found && found[1].length <= base + 1) items.push({ text: found[2], nested: [] });
    else if (items.length) items[items.length - 1].nested.push(line);
  }
  return h(ordered ? "ol" : "ul", { class: "rich-list" }, items.map(({ text, nested }) => {
    const task = /^\[([ xX])\]\s+/.exec(text);
    const words = task ? text.slice(task[0].length) : text;
    const box = task && h("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": words });
    const deeper = nested.length && /^\s*(?:[-*+]|\d+[.)])\s/.test(nested[0]) ? listNode(nested, ctx) : null;
    return h("li", { class: task ? "task" : null }, box, spans(words, ctx), deeper ?? nested.map((line) => [h("br"), spans(line.trim(), ctx)]));
  }));
}

const KINDS = [
  ["heading", /^#{1,6}\s+/, false],
  ["rule", /^\s*([-*_])(?:\s*\1){2,}\s*$/, false],
  ["quote", /^>\s?/, true],
  ["list", /^\s*(?:[-*+]|\d+[.)])\s+/, true],
  ["blank", /^\s*$/, true],
];

function kindOf(lines, at) {
  if (/\|/.test(lines[at]) && /^\s*\|?\s*:?-{2,}/.test(lines[at + 1] ?? "") && /\|/.test(lines[at + 1])) return "table";
  return KINDS.find(([, pattern]) => pattern.test(lines[at]))?.[0] ?? "prose";
}

function take(lines, at, kind) {
  let end = at + 1;
  if (kind === "table") while (end < lines.length && (end === at + 1 || /\|/.test(lines[end]))) end += 1;
  else if (kind === "list") while (end < lines.length && (kindOf(lines, end) === "list" || /^\s{2,}\S/.test(lines[end]))) end += 1;
  else if (["quote", "blank", "prose"].includes(kind)) while (end < lines.length && kindOf(lines, end) === kind) end += 1;
  return end;
}

function draw(kind, lines, ctx) {
  if (kind === "heading") {
    const depth = /^#+/.exec(lines[0])[0].length;
    return h("p", { class: `md-heading md-${depth}`, role: "heading", "aria-level": String(depth + 2) }, spans(lines[0].replace(/^#+\s+/, ""), ctx));
  }
  if (kind === "rule") return h("hr");
  if (kind === "quote") return h("blockquote", {}, blocksOf(lines.map((line) => line.replace(/^>\s?/, "")).join("\n"), ctx));
  if (kind === "list") return listNode(lines, ctx);
  if (kind === "table") return table(lines, ctx);
  if (kind === "blank") return null;
  return h("p", {}, lines.map((line, index) => [index ? h("br") : null, spans(line, ctx)]));
}

function blocksOf(text, ctx) {
  const lines = text.split("\n");
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const kind = kindOf(lines, at);
    const end = take(lines, at, kind);
    nodes.push(draw(kind, lines.slice(at, end), ctx));
    at = end;
  }
  return nodes;
}

export function markdown(text, ctx) {
  const nodes = [];
  String(text ?? "").split(/^```[^\n]*\n?/m).forEach((piece, index) => {
    if (index % 2) nodes.push(h("pre", {}, piece.replace(/\n$/, "")));
    else if (piece.trim()) nodes.push(...blocksOf(piece.replace(/^\n+|\n+$/g, ""), ctx));
  });
  return h("div", { class: "markdown" }, nodes);
}
