// One person's window on the workspace.

import { explain, get, listen, post } from "./api.js";
import { patchBlocks } from "./blocks.js";
import { Composer } from "./composer.js";
import { debounce, h, icon, iconButton, keepingFocus } from "./dom.js";
import { Form } from "./form.js";
import { avatar, MessageList, slackbotLine } from "./messages.js";
import { Modals } from "./modal.js";
import { openMenu } from "./popover.js";
import { drawSidebar } from "./sidebar.js";

const TOAST_MS = 9000;
const PERMALINK = /(?:#([CDG]\w+)\/(\d+\.\d+)|\/archives\/([CDG]\w+)\/p(\d{10})(\d{6}))/;

/** The channel and message that an address points at, or null. */
export function permalinkOf(url) {
  const found = PERMALINK.exec(url);
  if (!found) return null;
  return { channel: found[1] ?? found[3], ts: found[2] ?? `${found[4]}.${found[5]}` };
}

export class Pane {
  constructor(app, index, user, place) {
    this.app = app;
    this.index = index;
    this.directory = app.directory;
    this.user = user;
    this.place = place ?? null;
    this.build();
    this.start();
  }

  get zone() {
    return this.directory.zone(this.user);
  }

  build() {
    this.person = h("button", { type: "button", class: "person", testid: "person", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => this.choosePerson() });
    this.state = h("span", { class: "connection", role: "status" });
    this.menu = iconButton("menu", "Conversations", () => this.node.classList.toggle("show-side"), { class: "icon-button side-toggle" });
    this.side = h("nav", { class: "sidebar", "aria-label": "Conversations" });
    this.title = h("h2", { class: "place-title" });
    this.topic = h("p", { class: "topic" });
    this.home = h("div", { class: "home blocks", testid: "home" });
    this.list = new MessageList(this);
    this.composer = new Composer(this, { testid: "composer", canCommand: true, send: (text, files) => this.say(text, files) });
    this.threadList = new MessageList(this, { isThread: true });
    this.threadComposer = new Composer(this, { testid: "thread-composer", canCommand: false, send: (text, files) => this.say(text, files, this.thread) });
    this.threadPanel = h("aside", { class: "thread", "aria-label": "Thread", testid: "thread", hidden: true },
      h("header", { class: "place-head" }, h("h2", { class: "place-title" }, "Thread"), iconButton("close", "Close thread", () => this.closeThread(), { testid: "thread-close" })),
      this.threadList.node, this.threadComposer.node);
    this.threadPanel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.closeThread();
    });
    this.homePage = h("div", { class: "home-page", hidden: true }, this.home);
    this.workArea = h("div", { class: "pane-body" }, this.side,
      h("main", { class: "main" }, h("header", { class: "place-head" }, this.menu, this.title, this.topic), this.homePage, this.list.node, this.composer.node),
      this.threadPanel);
    this.modals = new Modals(this);
    this.toasts = h("div", { class: "toasts", role: "status" });
    this.node = h("section", { class: "pane", testid: `pane-${this.index}`, onfocusin: () => this.app.touched(this) },
      h("header", { class: "pane-top" }, this.person, this.state), this.workArea, this.modals.node, this.toasts);
  }

  /** Begins afresh for the person of this pane. */
  start() {
    this.stop?.();
    this.conversations = [];
    this.drafts = new Map();
    this.lines = new Map();
    this.seen = new Map();
    this.told = null;
    this.thread = null;
    this.homeForm = null;
    this.home.replaceChildren();
    this.threadPanel.hidden = this.composer.node.hidden = true;
    this.composer.draftKey = this.threadComposer.draftKey = null;
    this.dismissed = new Set(JSON.parse(sessionStorage.getItem(`dismissed-${this.user}`) ?? "[]"));
    this.later = debounce(25, () => this.refresh());
    this.node.setAttribute("aria-label", `Workspace as ${this.directory.display(this.user)}`);
    const person = this.directory.person(this.user);
    this.person.replaceChildren(avatar(this.user, this.directory), h("span", { class: "person-words" }, h("b", {}, this.directory.display(this.user)),
      person?.title ? h("small", {}, person.title) : null), icon("down"));
    this.person.setAttribute("aria-label", `Acting as ${this.directory.display(this.user)}. Change person`);
    this.refresh().then(() => {
      this.stop = listen(this.user, this.seq ?? 0, (event) => {
        if (event.kind === "traffic") this.app.traffic.poke();
        else this.later();
      }, (up) => this.connection(up));
    });
  }

  connection(up) {
    const wasDown = this.isDown;
    this.isDown = !up;
    this.state.replaceChildren(...(up ? [] : [icon("warn"), "Reconnecting…"]));
    if (up && wasDown) this.refresh();
  }

  /** Asks for the state of things; calls that come while one is under way share the next. */
  async refresh() {
    if (this.asking) {
      this.askAgain = true;
      return this.asking;
    }
    const user = this.user;
    this.asking = get("state", { user });
    const state = await this.asking;
    this.asking = null;
    if (user === this.user && state.ok) this.show(state);
    if (this.askAgain || user !== this.user) {
      this.askAgain = false;
      await this.refresh();
    }
    return null;
  }

  show(state) {
    this.seq = state.seq;
    this.conversations = state.conversations ?? [];
    this.takeToasts(state.toasts ?? []);
    this.homeView = state.home;
    const exists = this.place === "home" || this.conversations.some((each) => each.id === this.place);
    if (!exists) this.place = this.conversations.find((each) => each.kind !== "im" && this.isMember(each.id))?.id ?? this.conversations[0]?.id ?? "home";
    const first = this.told === null;
    this.told ??= new Set();
    this.draw();
    this.modals.update(state.modals ?? []);
    if (this.wanted) this.showMessage(this.wanted.channel, this.wanted.ts);
    if (first && this.index === 0 && document.activeElement === document.body) this.composer.input.focus();
  }

  isMember(id) {
    return this.directory.channel(id)?.members?.includes(this.user) ?? true;
  }

  get current() {
    return this.conversations.find((each) => each.id === this.place);
  }

  messagesOf(conversation) {
    const own = this.lines.get(conversation.id) ?? [];
    const all = [...(conversation.messages ?? []), ...own].filter((each) => !(each.ephemeral && this.dismissed.has(`${conversation.id}/${each.ts}`)));
    return all.sort((one, other) => Number(one.ts) - Number(other.ts));
  }

  unreadIn(conversation) {
    const messages = conversation.messages ?? [];
    const last = messages[messages.length - 1]?.ts ?? "0";
    if (!this.seen.has(conversation.id)) this.seen.set(conversation.id, conversation.unread ? messages[messages.length - 1 - conversation.unread]?.ts ?? "0" : last);
    if (this.place === conversation.id) this.seen.set(conversation.id, last);
    const since = Number(this.seen.get(conversation.id));
    const fresh = messages.filter((each) => Number(each.ts) > since && each.user !== this.user && (!each.thread_ts || each.thread_ts === each.ts));
    const mentions = fresh.filter((each) => JSON.stringify([each.text, each.blocks]).includes(this.user)).length;
    return { count: fresh.length, mentions };
  }

  draw() {
    keepingFocus(this.side, () => this.side.replaceChildren(...drawSidebar(this)));
    const isHome = this.place === "home";
    this.homePage.hidden = !isHome;
    this.list.node.hidden = this.composer.node.hidden = isHome;
    if (isHome) this.drawHome();
    else this.drawConversation();
  }

  drawConversation() {
    const conversation = this.current;
    if (!conversation) return;
    const isIm = conversation.kind === "im";
    const isPrivate = conversation.is_private || this.directory.channel(conversation.id)?.is_private;
    const lead = isIm ? avatar(this.directory.app.bot_user, this.directory, true) : icon(isPrivate ? "lock" : "hash");
    this.title.replaceChildren(lead, conversation.name);
    this.topic.textContent = conversation.topic ?? "";
    const all = this.messagesOf(conversation);
    const top = all.filter((each) => !each.thread_ts || each.thread_ts === each.ts || each.reply_broadcast || !all.some((one) => one.ts === each.thread_ts));
    this.list.intro.replaceChildren(h("h3", {}, isIm ? null : icon(isPrivate ? "lock" : "hash"), conversation.name),
      h("p", { class: "muted" }, isIm ? "This is the start of your direct message." : conversation.topic || "This is the start of the channel."));
    this.list.show(conversation.id, `${this.user}/${conversation.id}`, top, all);
    this.composer.setPlace(isIm ? `Message ${conversation.name}` : `Message #${conversation.name}`, conversation.id);
    if (!this.thread) return;
    const inThread = all.filter((each) => each.ts === this.thread || each.thread_ts === this.thread);
    this.threadList.show(conversation.id, `${this.user}/${conversation.id}/${this.thread}`, inThread, []);
    this.threadComposer.setPlace("Reply…", `${conversation.id}/${this.thread}`);
  }

  drawHome() {
    this.title.replaceChildren(avatar(this.directory.app.bot_user, this.directory, true), `${this.directory.app.name} · Home`);
    this.topic.textContent = "";
    if (!this.homeView) {
      if (!this.homeForm) this.home.replaceChildren(h("p", { class: "muted empty-home" }, "Nothing here yet. The app fills this tab when it is opened."));
      return;
    }
    if (!this.homeForm) this.home.replaceChildren();
    this.homeForm ??= new Form(this, "home");
    this.homeForm.take(this.homeView);
    keepingFocus(this.home, () => patchBlocks(this.home, this.homeView.blocks, this.homeForm.ctx));
  }

  go(place, { quiet = false } = {}) {
    this.node.classList.remove("show-side");
    if (this.place !== place) this.closeThread();
    this.place = place;
    this.draw();
    this.app.remember();
    if (place === "home") post("home", { user: this.user }).then((answer) => answer.ok || this.toast(explain(answer)));
    else if (!quiet) this.composer.input.focus();
  }

  openThread(ts, typing = false) {
    this.thread = ts;
    this.threadPanel.hidden = false;
    this.node.classList.add("has-thread");
    this.drawConversation();
    if (typing) this.threadComposer.input.focus();
    else this.threadList.node.focus();
  }

  closeThread() {
    if (!this.thread) return;
    this.thread = null;
    this.threadPanel.hidden = true;
    this.node.classList.remove("has-thread");
    if (!this.composer.node.hidden) this.composer.input.focus();
  }

  showMessage(channel, ts) {
    this.wanted = null;
    const conversation = this.conversations.find((each) => each.id === channel);
    const message = conversation?.messages?.find((each) => each.ts === ts);
    if (!message) {
      this.toast("That message is not here, or not for this person.");
      return;
    }
    this.go(channel, { quiet: true });
    const isReply = message.thread_ts && message.thread_ts !== ts;
    if (isReply) this.openThread(message.thread_ts);
    (isReply ? this.threadList : this.list).flash(ts);
  }

  openLink(url) {
    const target = permalinkOf(url);
    if (!target) return false;
    this.showMessage(target.channel, target.ts);
    return true;
  }

  async say(text, files, thread) {
    const channel = this.place;
    if (text.startsWith("/")) {
      if (thread) return this.slackbot(channel, `${text.split(/\s/)[0]} is not supported in threads. Sorry!`, thread);
      const answer = await post("command", { user: this.user, channel, text });
      // The workspace itself tells of unknown commands and of deliveries that failed.
      if (!answer.ok && !answer.delivery && answer.error !== "unknown_command") this.slackbot(channel, this.refusedCommand(text, answer));
      return this.refresh();
    }
    const more = { ...(thread ? { thread_ts: thread } : {}), ...(files?.length ? { files: files.map((file) => file.id) } : {}) };
    this.list.isAtEnd = this.list.isAtEnd || !thread;
    const answer = await post("message", { user: this.user, channel, text, ...more });
    if (!answer.ok) this.slackbot(channel, `Your message was not sent: ${explain(answer)}`, thread);
    return this.refresh();
  }

  refusedCommand(text, answer) {
    const name = text.split(/\s/)[0];
    if (answer.error === "not_in_channel") return "You are not a member of this channel, so commands do not work here.";
    return `${name} failed: ${explain(answer)}`;
  }

  slackbot(channel, text, thread) {
    const line = { ...slackbotLine(text), ...(thread ? { thread_ts: thread } : {}) };
    this.lines.set(channel, [...(this.lines.get(channel) ?? []), line]);
    this.draw();
  }

  dismiss(message) {
    this.dismissed.add(`${this.place}/${message.ts}`);
    sessionStorage.setItem(`dismissed-${this.user}`, JSON.stringify([...this.dismissed]));
    this.draw();
  }

  shortcut(callbackId, message) {
    const where = message ? { channel: this.place, message_ts: message.ts } : {};
    return this.report(post("shortcut", { user: this.user, callback_id: callbackId, ...where }));
  }

  /** Waits for an act; what the workspace does not say itself is said here. */
  async report(act) {
    const answer = await act;
    if (!answer.ok && !answer.delivery) this.toast(explain(answer));
    await this.refresh();
    return answer;
  }

  async copyLink(message) {
    const link = `${location.origin}/#${this.place}/${message.ts}`;
    try {
      await navigator.clipboard.writeText(link);
      this.toast("Link copied.");
    } catch {
      this.toast(link);
    }
  }

  /** Failed commands come as Slackbot's line where the person is; other notices float for a while. */
  takeToasts(toasts) {
    const first = this.told === null;
    for (const toast of toasts) {
      if (this.told?.has(toast.id)) continue;
      this.told ??= new Set();
      this.told.add(toast.id);
      if (first) continue;
      if (toast.text.startsWith("/") && this.place !== "home") this.slackbot(this.place, toast.text);
      else this.toast(toast.text);
    }
  }

  toast(text) {
    const node = h("div", { class: "toast", testid: "toast" }, h("span", {}, text), iconButton("close", "Dismiss", () => node.remove()));
    this.toasts.append(node);
    setTimeout(() => node.remove(), TOAST_MS);
  }

  appBadge() {
    return avatar(this.directory.app.bot_user, this.directory, true);
  }

  focusAfterModal(before) {
    if (document.activeElement !== document.body && !this.modals.node.contains(document.activeElement)) return;
    if (before?.isConnected && this.node.contains(before)) before.focus({ preventScroll: true });
    else if (!this.composer.node.hidden) this.composer.input.focus({ preventScroll: true });
  }

  choosePerson() {
    openMenu(this.person, this.directory.people.map((person) => ({
      label: this.directory.display(person.id), detail: [person.title, person.tz].filter(Boolean).join(" · "), checked: person.id === this.user,
      lead: avatar(person.id, this.directory), testid: `person-${person.name}`, act: () => this.become(person.id),
    })), { label: "Act as" });
  }

  become(user) {
    this.user = user;
    this.modals.update([]);
    this.start();
    this.app.remember();
  }

  /** What every surface of this pane shares when blocks are drawn. */
  baseContext() {
    const pane = this;
    return {
      directory: this.directory,
      viewer: this.user,
      zone: this.zone,
      channel: this.place === "home" ? null : this.place,
      host: () => pane.node,
      openLink: (url) => pane.openLink(url),
      openConversation: (id) => pane.go(id),
      fileUrl: (id) => (id ? `/files/${encodeURIComponent(id)}/file` : null),
    };
  }

  remove() {
    this.stop?.();
    this.node.remove();
  }
}
