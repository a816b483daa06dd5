// The line people type into: commands with completion, names, channels, history.

import { upload } from "./api.js";
import { freshId, h, icon, iconButton } from "./dom.js";
import { openMenu } from "./popover.js";

const MOST_SHOWN = 10;
const SLOW_MS = 350;

export class Composer {
  /** place: {testid, label, send(text, files), draftKey(), canCommand} */
  constructor(pane, place) {
    this.pane = pane;
    this.place = place;
    this.history = [];
    this.back = 0;
    this.matches = [];
    this.active = 0;
    this.files = [];
    this.waiting = new Map();
    const listId = freshId("completion");
    this.input = h("textarea", {
      rows: "1", testid: place.testid, role: "combobox", "aria-label": "Message", "aria-autocomplete": "list",
      "aria-controls": listId, "aria-expanded": "false", spellcheck: "false",
      oninput: () => this.edited(), onkeydown: (event) => this.key(event), onclick: () => this.suggest(), onblur: () => this.hide(),
    });
    this.list = h("div", { class: "completion", role: "listbox", id: listId, "aria-label": "Suggestions", testid: place.canCommand ? "completion" : "thread-completion", hidden: true });
    this.hint = h("div", { class: "usage", "aria-live": "polite" });
    this.wait = h("div", { class: "waiting", role: "status", testid: place.canCommand ? "waiting" : "thread-waiting" });
    this.chips = h("div", { class: "composer-files" });
    this.sendButton = iconButton("send", "Send", () => this.submit(), { class: "icon-button send", testid: place.canCommand ? "send" : "thread-send" });
    this.picker = h("input", { type: "file", hidden: true, tabindex: "-1", "aria-label": "File to attach", onchange: () => this.attach(this.picker.files) });
    this.bolt = iconButton("bolt", "Shortcuts", () => this.shortcuts(), { testid: "shortcuts", "aria-haspopup": "menu" });
    this.node = h("div", { class: "composer-holder" }, this.list, this.hint,
      h("div", { class: "composer" }, this.chips, this.input, h("div", { class: "composer-tools" },
        iconButton("plus", "Attach a file", () => this.picker.click()), this.picker,
        iconButton("at", "Mention someone", () => this.insert("@")),
        place.canCommand ? this.bolt : null,
        h("span", { class: "grow" }), this.sendButton)),
      this.wait);
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      event.preventDefault();
      this.attach(event.dataTransfer.files);
    });
    this.resize();
  }

  setPlace(label, draft) {
    this.input.placeholder = label;
    this.input.setAttribute("aria-label", label);
    if (this.draftKey === draft) return;
    // What was filled in before the conversation was known belongs to the first one that opens.
    const { drafts } = this.pane;
    if (drafts.has(null)) drafts.set(draft, drafts.get(null));
    drafts.delete(null);
    this.draftKey = draft;
    this.input.value = drafts.get(draft) ?? "";
    this.hide();
    this.resize();
    this.drawHint();
  }

  fill(text) {
    this.input.value = text;
    this.edited();
    this.hide();
    this.input.focus();
    this.input.setSelectionRange(text.length, text.length);
  }

  insert(text) {
    const { selectionStart: from, selectionEnd: to, value } = this.input;
    const gap = from && !/\s/.test(value[from - 1]) ? " " : "";
    this.input.setRangeText(gap + text, from, to, "end");
    this.input.focus();
    this.edited();
  }

  edited() {
    this.back = 0;
    if (this.input.value) this.pane.drafts.set(this.draftKey, this.input.value);
    else this.pane.drafts.delete(this.draftKey);
    this.resize();
    this.suggest();
    this.drawHint();
  }

  resize() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(180, this.input.scrollHeight)}px`;
    this.sendButton.disabled = !this.input.value.trim() && !this.files.length;
  }

  /** What stands before the caret and can be completed. */
  fragment() {
    const { value, selectionStart: caret } = this.input;
    const before = value.slice(0, caret);
    if (this.place.canCommand && /^\/[\w-]*$/.test(before) && caret === value.length) return { kind: "command", start: 0, word: before };
    const found = /(^|[\s(])([@#])([\w.-]*)$/.exec(before);
    return found ? { kind: found[2], start: caret - found[3].length - 1, word: found[3] } : null;
  }

  suggest() {
    const part = this.fragment();
    if (!part) {
      this.hide();
      return;
    }
    const { directory } = this.pane;
    const word = part.word.toLowerCase();
    if (part.kind === "command") {
      this.matches = directory.commands.filter((each) => each.command.startsWith(word)).map((each) => ({
        text: `${each.command} `, exact: each.command === word, title: each.command, usage: each.usage_hint, detail: each.description,
      }));
    } else if (part.kind === "@") {
      this.matches = directory.people.filter((each) => `${each.name} ${each.real_name}`.toLowerCase().split(/\s+/).some((piece) => piece.startsWith(word)))
        .map((each) => ({ text: `@${each.name} `, title: directory.display(each.id), usage: `@${each.name}`, detail: each.title }));
    } else {
      this.matches = directory.channels.filter((each) => each.name.startsWith(word)).map((each) => ({ text: `#${each.name} `, title: `#${each.name}` }));
    }
    this.matches = this.matches.slice(0, part.kind === "command" ? 30 : MOST_SHOWN);
    this.part = part;
    this.active = Math.max(0, this.matches.findIndex((each) => each.exact));
    this.drawList();
  }

  drawList() {
    const heading = { command: `${this.pane.directory.app.name} commands`, "@": "People", "#": "Channels" }[this.part.kind];
    this.list.replaceChildren(h("div", { class: "menu-heading", role: "presentation" }, heading), ...this.matches.map((each, index) => h("div", {
      class: `completion-row${index === this.active ? " active" : ""}`, role: "option", id: `${this.list.id}-${index}`, "aria-selected": String(index === this.active),
      onmousedown: (event) => event.preventDefault(), onclick: () => this.take(index),
    }, h("b", {}, each.title), each.usage ? h("span", { class: "usage-hint" }, each.usage) : null, each.detail ? h("small", {}, each.detail) : null)));
    this.list.hidden = !this.matches.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    if (this.list.hidden) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
    this.list.querySelector(".active")?.scrollIntoView({ block: "nearest" });
  }

  hide() {
    this.list.hidden = true;
    this.matches = [];
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  take(index) {
    const { text } = this.matches[index];
    this.input.setRangeText(text, this.part.start, this.input.selectionStart, "end");
    this.input.focus();
    this.edited();
    this.hide();
  }

  drawHint() {
    const name = /^(\/[\w-]+)\s/.exec(this.input.value)?.[1];
    const command = this.place.canCommand && this.pane.directory.commands.find((each) => each.command === name);
    this.hint.replaceChildren(...(command ? [h("b", {}, command.command), " ", command.usage_hint ?? "", h("span", {}, command.description ? ` — ${command.description}` : "")] : []));
  }

  key(event) {
    if (event.isComposing) return;
    const open = !this.list.hidden && this.matches.length;
    const line = this.input.value;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (open && steps[event.key]) {
      this.active = (this.active + steps[event.key] + this.matches.length) % this.matches.length;
      this.drawList();
    } else if (open && (event.key === "Tab" || (event.key === "Enter" && !this.matches[this.active].exact)) && !event.shiftKey) {
      this.take(this.active);
    } else if (event.key === "Escape" && open) {
      this.hide();
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      this.submit();
    } else if (event.key === "ArrowUp" && this.history.length && (!line || this.back)) {
      this.recall(1);
    } else if (event.key === "ArrowDown" && this.back) {
      this.recall(-1);
    } else return;
    event.preventDefault();
  }

  recall(step) {
    const back = Math.min(this.history.length, this.back + step);
    this.fill(back ? this.history[this.history.length - back] : "");
    this.back = back;
  }

  async attach(files) {
    for (const file of [...files]) {
      const answer = await upload(this.pane.user, file);
      if (answer.ok) this.files.push(answer.file);
      else this.pane.toast(`${file.name} could not be uploaded: ${answer.error}`);
    }
    this.picker.value = "";
    this.drawFiles();
  }

  drawFiles() {
    this.chips.replaceChildren(...this.files.map((file) => h("span", { class: "chip" }, icon("file"), file.name,
      h("button", { type: "button", class: "chip-remove", "aria-label": `Remove ${file.name}`, onclick: () => {
        this.files = this.files.filter((one) => one !== file);
        this.drawFiles();
      } }, icon("close")))));
    this.resize();
  }

  shortcuts() {
    const found = this.pane.directory.shortcuts.filter((each) => each.type === "global");
    openMenu(this.bolt, found.length ? found.map((each) => ({
      label: each.name, detail: each.description, lead: icon("bolt"), testid: `shortcut-${each.callback_id}`,
      act: () => this.pane.shortcut(each.callback_id),
    })) : [{ heading: "No shortcuts" }], { label: "Shortcuts" });
  }

  async submit() {
    const text = this.input.value.trim();
    if (!text && !this.files.length) return;
    if (text && this.history[this.history.length - 1] !== text) this.history.push(text);
    const { files } = this;
    this.files = [];
    this.input.value = "";
    this.edited();
    this.drawFiles();
    const work = this.place.send(text, files);
    if (text.startsWith("/")) await this.waitFor(text, work);
  }

  /** Says quietly that a command is on its way, once it takes longer than a moment. */
  async waitFor(text, work) {
    const id = freshId("wait");
    const timer = setTimeout(() => {
      this.waiting.set(id, text.split(/\s/)[0]);
      this.drawWaiting();
    }, SLOW_MS);
    await work;
    clearTimeout(timer);
    this.waiting.delete(id);
    this.drawWaiting();
  }

  drawWaiting() {
    const names = [...this.waiting.values()];
    this.wait.replaceChildren(...(names.length ? [h("span", { class: "spinner", "aria-hidden": "true" }), `${names.join(", ")} is on its way…`] : []));
  }
}
