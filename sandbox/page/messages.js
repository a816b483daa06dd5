// A list of messages, for a conversation or a thread.

import { post } from "./api.js";
import { patchBlocks } from "./blocks.js";
import { clock, colourOf, dayName, fullMoment, initials, isoDay } from "./directory.js";
import { h, icon, iconButton, keepingFocus, reconcile } from "./dom.js";
import { fileNode } from "./files.js";
import { openMenu } from "./popover.js";

const TOGETHER_SECONDS = 300;

export function avatar(id, directory, small = false) {
  const person = directory.person(id);
  const name = person ? directory.display(id) : id;
  const isApp = Boolean(person?.bot);
  return h("span", { class: `avatar${small ? " small" : ""}${isApp ? " app" : ""}`, style: { background: isApp ? null : colourOf(id) }, "aria-hidden": "true" },
    isApp ? icon("file") : id === "USLACKBOT" ? icon("bolt") : initials(name));
}

function blocksOf(message) {
  if (message.blocks?.length) return message.blocks;
  return message.text ? [{ type: "section", block_id: "text", text: { type: "mrkdwn", text: message.text } }] : [];
}

class Row {
  constructor(pane, list) {
    this.pane = pane;
    this.list = list;
    this.gutter = h("div", { class: "gutter" });
    this.head = h("div", { class: "message-head" });
    this.only = h("div", { class: "only-you" });
    this.body = h("div", { class: "blocks" });
    this.files = h("div", { class: "files" });
    this.foot = h("div", { class: "message-foot" });
    this.tools = h("div", { class: "message-tools", role: "group", "aria-label": "Message actions" });
    this.node = h("article", { class: "message", testid: "message", tabindex: "-1" }, this.gutter,
      h("div", { class: "message-main" }, this.only, this.head, this.body, this.files, this.foot), this.tools);
    this.node.row = this;
    this.ctx = {
      ...pane.baseContext(),
      surface: "message",
      valueOf: () => undefined,
      input: (blockId, element, value, { asked, dispatch }) => (asked && dispatch ? this.act(blockId, element, value) : undefined),
      act: (...given) => this.act(...given),
      options: (blockId, element, query) => post("options", { ...this.where(blockId, element), query }),
    };
  }

  where(blockId, element) {
    return { user: this.pane.user, channel: this.list.conversation, ts: this.message.ts, block_id: blockId, action_id: element.action_id };
  }

  act(blockId, element, value) {
    this.ctx.channel = this.list.conversation;
    return this.pane.report(post("action", { ...this.where(blockId, element), value, drawn: this.message.blocks }));
  }

  update({ message, compact, replies }) {
    const { directory, zone } = this.pane;
    this.message = message;
    this.ctx.channel = this.list.conversation;
    const seconds = Number(message.ts);
    const author = directory.person(message.user);
    const name = message.bot_id && message.username ? message.username : author ? directory.display(message.user) : message.username || message.user;
    this.node.dataset.ts = message.ts;
    this.node.classList.toggle("compact", compact);
    this.node.classList.toggle("ephemeral", Boolean(message.ephemeral));
    const time = h("time", { datetime: new Date(seconds * 1000).toISOString(), title: fullMoment(seconds, zone) }, clock(seconds, zone));
    this.gutter.replaceChildren(compact ? time : avatar(message.user, directory));
    this.only.replaceChildren(...(message.ephemeral ? [icon("eye"), "Only visible to you", h("span", { "aria-hidden": "true" }, " · "),
      h("button", { type: "button", class: "link", testid: "dismiss", onclick: () => this.pane.dismiss(message) }, "Dismiss")] : []));
    this.head.replaceChildren(...(compact ? [] : [h("strong", { class: "author" }, name), message.bot_id ? h("span", { class: "badge" }, "APP") : "", time]));
    keepingFocus(this.body, () => patchBlocks(this.body, blocksOf(message), this.ctx));
    const files = JSON.stringify(message.files ?? []);
    if (files !== this.filesShown) this.files.replaceChildren(...(message.files ?? []).map((file) => fileNode(file)));
    this.filesShown = files;
    this.foot.replaceChildren(...this.footNodes(message, replies));
    this.tools.replaceChildren(...this.toolNodes(message));
  }

  footNodes(message, replies) {
    const nodes = message.edited ? [h("span", { class: "edited" }, "(edited)")] : [];
    const count = Math.max(replies.length, message.thread_ts && message.thread_ts !== message.ts ? 0 : message.reply_count ?? 0);
    if (this.list.isThread || !count) return nodes;
    const { directory, zone } = this.pane;
    const people = [...new Set(replies.map((reply) => reply.user))].slice(0, 3);
    const last = replies[replies.length - 1];
    nodes.push(h("button", { type: "button", class: "thread-link", testid: "thread-link", onclick: () => this.pane.openThread(message.ts) },
      people.map((id) => avatar(id, directory, true)), h("b", {}, `${count} ${count === 1 ? "reply" : "replies"}`),
      last ? h("span", { class: "muted" }, `Last reply ${dayName(Number(last.ts), zone).toLowerCase()} at ${clock(Number(last.ts), zone)}`) : null));
    return nodes;
  }

  toolNodes(message) {
    if (message.ephemeral || message.local) return [];
    const shortcuts = this.pane.directory.shortcuts.filter((each) => each.type === "message");
    const thread = () => this.pane.openThread(message.thread_ts || message.ts, true);
    const more = iconButton("dots", "More actions", () => openMenu(more, [
      ...shortcuts.map((each) => ({
        label: each.name, detail: each.description, testid: `shortcut-${each.callback_id}`, lead: icon("bolt"),
        act: () => this.pane.shortcut(each.callback_id, message),
      })),
      { label: "Reply in thread", lead: icon("reply"), act: thread },
      { label: "Copy link", lead: icon("link"), act: () => this.pane.copyLink(message) },
    ], { label: "Message actions" }), { testid: "message-menu", "aria-haspopup": "menu" });
    return [this.list.isThread ? "" : iconButton("reply", "Reply in thread", thread, { testid: "reply" }), more];
  }
}

export class MessageList {
  constructor(pane, { isThread = false } = {}) {
    this.pane = pane;
    this.isThread = isThread;
    this.conversation = null;
    this.items = h("div", { class: "message-items" });
    this.intro = h("div", { class: "intro" });
    this.node = h("div", { class: "message-list", role: "log", "aria-label": isThread ? "Thread" : "Messages", tabindex: "0" }, this.intro, this.items);
    new ResizeObserver(() => this.isAtEnd && this.toEnd()).observe(this.items);
    this.isAtEnd = true;
    this.node.addEventListener("scroll", () => {
      this.isAtEnd = this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < 40;
    });
  }

  toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
  }

  /** Shows the messages; everything is those of the whole conversation, from which replies are counted. */
  show(conversation, place, messages, everything) {
    const moved = this.place !== place;
    this.place = place;
    this.conversation = conversation;
    reconcile(this.items, this.itemsOf(messages, everything, place), {
      key: (item) => item.key,
      mark: (item) => item.mark,
      build: (item, old) => this.build(item, old),
    });
    if (moved) this.isAtEnd = true;
    if (this.isAtEnd) this.toEnd();
  }

  build(item, old) {
    if (item.day) return h("div", { class: "day", role: "separator" }, h("span", {}, item.day));
    const row = old?.row ?? new Row(this.pane, this);
    row.update(item);
    return row.node;
  }

  itemsOf(messages, everything, place) {
    const { zone } = this.pane;
    const items = [];
    let before = null;
    messages.forEach((message) => {
      const seconds = Number(message.ts);
      const newDay = !before || isoDay(Number(before.ts), zone) !== isoDay(seconds, zone);
      if (newDay && !this.isThread) {
        const day = dayName(seconds, zone);
        items.push({ key: `${place}:day:${isoDay(seconds, zone)}`, mark: day, day });
      }
      const compact = !newDay && before.user === message.user && seconds - Number(before.ts) < TOGETHER_SECONDS
        && !message.ephemeral && !before.ephemeral && before.username === message.username;
      const replies = everything.filter((one) => one.thread_ts === message.ts && one.ts !== message.ts);
      const mark = JSON.stringify([message, compact, replies.map((reply) => [reply.ts, reply.user])]);
      items.push({ key: `${place}:${message.ts}`, mark, message, compact, replies });
      before = message;
    });
    return items;
  }

  flash(ts) {
    const node = [...this.items.children].find((each) => each.dataset.ts === ts);
    if (!node) return false;
    this.isAtEnd = false;
    node.scrollIntoView({ block: "center" });
    node.classList.remove("flash");
    requestAnimationFrame(() => node.classList.add("flash"));
    node.focus({ preventScroll: true });
    return true;
  }
}

/** Slackbot's line that only one person sees and that lives in this page alone. */
export function slackbotLine(text) {
  const ts = (Date.now() / 1000).toFixed(6);
  return { ts, user: "USLACKBOT", text: "", ephemeral: true, local: true,
    blocks: [{ type: "section", block_id: "text", text: { type: "plain_text", text } }] };
}
