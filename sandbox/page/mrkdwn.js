// Slack's own text markup, turned into nodes. What is no markup stays literal text.

import { formatDate, fullMoment } from "./directory.js";
import { h } from "./dom.js";
import { EMOJI, emojiFor } from "./emoji.js";

const SAFE_LINK = /^(https?:\/\/|mailto:|tel:|slack:|\/#[CDG]\w+\/[\d.]+$)/i;
const WORD = /[\p{L}\p{N}]/u;
const TAGS = { "*": "strong", _: "em", "~": "s" };

export function unescape(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

export function escape(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

export function emojiNode(name) {
  return emojiFor(name) ?? `:${name}:`;
}

/** A link, or its plain text where the address is of a kind that a browser would run. */
export function linkNode(url, label, ctx) {
  const words = label ?? url;
  if (!SAFE_LINK.test(url)) return words;
  return h("a", {
    href: url,
    target: "_blank",
    rel: "noreferrer noopener",
    onclick: (event) => {
      if (ctx?.openLink?.(url)) event.preventDefault();
    },
  }, words);
}

export function userNode(id, ctx, label) {
  const known = ctx.directory.person(id);
  const name = known ? ctx.directory.display(id) : label || id;
  const own = id === ctx.viewer ? " own" : "";
  return h("span", { class: `mention${own}`, title: known?.title || null }, `@${name}`);
}

export function channelNode(id, ctx, label) {
  const channel = ctx.directory.channel(id);
  const name = channel?.name || label || id;
  if (!channel) return h("span", { class: "mention" }, `#${name}`);
  return h("button", { type: "button", class: "mention", onclick: () => ctx.openConversation?.(id) }, `#${name}`);
}

export function dateNode(seconds, pattern, ctx, { fallback, url } = {}) {
  if (!Number.isFinite(seconds)) return fallback ?? "";
  const text = formatDate(seconds, pattern, ctx.zone);
  const node = h("time", { title: fullMoment(seconds, ctx.zone), datetime: new Date(seconds * 1000).toISOString() }, text);
  return url ? linkNode(url, node, ctx) : node;
}

function reference(inside, ctx) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : unescape(inside.slice(bar + 1));
  if (/^@[UWB]/.test(target)) return userNode(target.slice(1), ctx, label);
  if (/^#[CGD]/.test(target)) return channelNode(target.slice(1), ctx, label);
  if (/^!date\^/.test(target)) {
    const [, seconds, pattern, url] = target.split("^");
    return dateNode(Number(seconds), unescape(pattern ?? "{date}"), ctx, { fallback: label, url });
  }
  if (/^!(channel|here|everyone)$/.test(target)) return h("span", { class: "mention own" }, `@${target.slice(1)}`);
  if (/^!subteam\^/.test(target)) return h("span", { class: "mention" }, label || `@${target.slice(9)}`);
  const url = unescape(target);
  return SAFE_LINK.test(url) ? linkNode(url, label, ctx) : null;
}

function closing(text, mark, from) {
  for (let at = text.indexOf(mark, from + 1); at > 0; at = text.indexOf(mark, at + 1)) {
    const inside = text.slice(from + 1, at);
    if (inside.includes("\n")) return -1;
    const after = text[at + 1] ?? "";
    if (inside && !/\s$/.test(inside) && !WORD.test(after) && after !== mark) return at;
  }
  return -1;
}

/** One run of text without code blocks or quotes. */
export function inline(text, ctx) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (!plain) return;
    plain.split("\n").forEach((line, index) => {
      if (index) nodes.push(h("br"));
      if (line) nodes.push(unescape(line));
    });
    plain = "";
  };
  const put = (node, length) => {
    flush();
    nodes.push(node);
    return length;
  };
  let at = 0;
  while (at < text.length) {
    at += special(text, at, ctx, put, nodes.length || plain ? text[at - 1] ?? "" : "") || literal();
  }
  function literal() {
    plain += text[at];
    return 1;
  }
  flush();
  return nodes;
}

function special(text, at, ctx, put, before) {
  const letter = text[at];
  const rest = text.slice(at, at + 3000);
  if (letter === "<") {
    const found = /^<([^<>\n]+)>/.exec(rest);
    const node = found && reference(found[1], ctx);
    return node ? put(node, found[0].length) : 0;
  }
  if (letter === "`") {
    const found = /^`([^`\n]+)`/.exec(rest);
    return found ? put(h("code", {}, codeText(found[1])), found[0].length) : 0;
  }
  if (letter === ":") {
    const found = /^:([a-z0-9_+-]+):(?::skin-tone-\d:)?/.exec(rest);
    return found && EMOJI[found[1]] ? put(emojiNode(found[1]), found[0].length) : 0;
  }
  if (letter in TAGS) {
    if (WORD.test(before) || before === letter || /\s/.test(text[at + 1] ?? " ") || text[at + 1] === letter) return 0;
    const end = closing(text, letter, at);
    return end < 0 ? 0 : put(h(TAGS[letter], {}, inline(text.slice(at + 1, end), ctx)), end - at + 1);
  }
  if (letter === "h" && !WORD.test(before)) {
    const found = /^https?:\/\/[^\s<>|]+[^\s<>|.,;:!?)'"]/.exec(rest);
    return found ? put(linkNode(unescape(found[0]), null, ctx), found[0].length) : 0;
  }
  return 0;
}

function codeText(text) {
  return unescape(text.replace(/<([^<>|\n]+)(?:\|([^<>\n]+))?>/g, (whole, url, label) => label ?? url));
}

function quoted(lines, ctx) {
  return h("blockquote", {}, inline(lines.join("\n"), ctx));
}

function proseNodes(text, ctx) {
  const nodes = [];
  let quote = [];
  let prose = [];
  const flush = () => {
    if (prose.length) nodes.push(...inline(prose.join("\n"), ctx));
    if (quote.length) nodes.push(quoted(quote, ctx));
    prose = [];
    quote = [];
  };
  const lines = text.split("\n");
  for (const [number, line] of lines.entries()) {
    const rest = /^(?:&gt;|>){3}\s?/.exec(line);
    if (rest) {
      flush();
      quote = [line.slice(rest[0].length), ...lines.slice(number + 1)];
      break;
    }
    const mark = /^(?:&gt;|>)\s?/.exec(line);
    if (Boolean(mark) !== Boolean(quote.length)) flush();
    if (mark) quote.push(line.slice(mark[0].length));
    else prose.push(line);
  }
  flush();
  return nodes;
}

/** A whole text in Slack's markup. */
export function mrkdwn(text, ctx) {
  const nodes = [];
  const pieces = String(text ?? "").split(/```/);
  const closed = pieces.length % 2 === 1;
  pieces.forEach((piece, index) => {
    const code = index % 2 === 1 && (closed || index < pieces.length - 1);
    if (code) nodes.push(h("pre", {}, codeText(piece.replace(/^\n|\n$/g, ""))));
    else {
      const open = index % 2 === 1 ? "```" : "";
      const prose = open + (index && !open ? piece.replace(/^\n/, "") : piece);
      if (prose) nodes.push(...proseNodes(prose, ctx));
    }
  });
  return nodes;
}

/** Plain text, where at most emoji names and line breaks mean anything. */
export function plainText(text, emoji = true) {
  const nodes = [];
  String(text ?? "").split("\n").forEach((line, index) => {
    if (index) nodes.push(h("br"));
    if (!emoji) {
      nodes.push(line);
      return;
    }
    for (const piece of line.split(/(:[a-z0-9_+-]+:)/)) {
      const name = /^:([a-z0-9_+-]+):$/.exec(piece)?.[1];
      nodes.push(name && EMOJI[name] ? emojiNode(name) : piece);
    }
  });
  return nodes;
}

/** A text object of Block Kit. */
export function textNodes(object, ctx) {
  if (!object) return [];
  if (typeof object === "string") return plainText(object);
  if (object.type === "mrkdwn") return mrkdwn(object.text, ctx);
  return plainText(object.text, object.emoji !== false);
}

export function textOf(object) {
  return typeof object === "string" ? object : object?.text ?? "";
}
