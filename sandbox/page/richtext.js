// The rich_text tree, and a plain textarea's way into it.

import { h } from "./dom.js";
import { channelNode, dateNode, emojiNode, linkNode, plainText, userNode } from "./mrkdwn.js";

const PARTS = {
  text: (part) => plainText(part.text, false),
  link: (part, ctx) => linkNode(part.url, part.text || part.url, ctx),
  user: (part, ctx) => userNode(part.user_id, ctx),
  channel: (part, ctx) => channelNode(part.channel_id, ctx),
  usergroup: (part) => h("span", { class: "mention" }, `@${part.usergroup_id}`),
  team: (part) => h("span", { class: "mention" }, `@${part.team_id}`),
  broadcast: (part) => h("span", { class: "mention own" }, `@${part.range}`),
  emoji: (part) => emojiNode(part.name),
  date: (part, ctx) => dateNode(part.timestamp, part.format, ctx, part),
  color: (part) => h("span", { class: "colour" }, h("i", { style: { background: part.value } }), part.value),
};

function styled(nodes, style = {}) {
  let node = nodes;
  if (style.code) node = h("code", {}, node);
  if (style.strike) node = h("s", {}, node);
  if (style.underline) node = h("u", {}, node);
  if (style.italic) node = h("em", {}, node);
  if (style.bold) node = h("strong", {}, node);
  return node;
}

function partNodes(elements, ctx) {
  return (elements ?? []).map((part) => {
    const draw = PARTS[part.type];
    return draw ? styled(draw(part, ctx), part.style) : h("span", { class: "unknown-part" }, `[${part.type}]`);
  });
}

const BULLETS = ["disc", "circle", "square"];
const NUMBERS = ["decimal", "lower-alpha", "lower-roman"];

function list(block, ctx) {
  const ordered = block.style === "ordered";
  const indent = block.indent ?? 0;
  const shape = (ordered ? NUMBERS : BULLETS)[indent % 3];
  return h(ordered ? "ol" : "ul", {
    class: `rich-list${block.border ? " bordered" : ""}`,
    start: ordered && block.offset ? block.offset + 1 : null,
    style: { marginInlineStart: `${indent * 1.5}em`, listStyleType: shape },
  }, (block.elements ?? []).map((item) => h("li", {}, partNodes(item.elements, ctx))));
}

const LINES = {
  rich_text_section: (block, ctx) => h("div", { class: "rich-section" }, partNodes(block.elements, ctx)),
  rich_text_quote: (block, ctx) => h("blockquote", {}, partNodes(block.elements, ctx)),
  rich_text_preformatted: (block, ctx) => h("pre", {}, partNodes(block.elements, ctx)),
  rich_text_list: list,
};

export function richText(block, ctx) {
  return h("div", { class: "rich-text" }, (block?.elements ?? []).map((line) => {
    const draw = LINES[line.type];
    return draw ? draw(line, ctx) : h("div", { class: "unknown-part" }, `[${line.type}]`);
  }));
}

/** The words of a rich text tree, for sorting, editing and screen readers. */
export function richTextWords(block) {
  if (Array.isArray(block)) return block.map(richTextWords).join("");
  if (!block) return "";
  if (block.type === "rich_text") return (block.elements ?? []).map((line) => richTextWords(line.elements)).join("\n");
  if (block.elements) return `${richTextWords(block.elements)}\n`;
  return block.text ?? block.name ?? block.url ?? block.user_id ?? block.fallback ?? "";
}

export function richTextOf(text) {
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] };
}
