// What a person types into a view, on its way to the workspace: kept at once, sent in order, never lost.

import { explain, post } from "./api.js";
import { refusal } from "./inputs.js";

const TYPING_PAUSE = 250;

export class Form {
  constructor(pane, surface) {
    this.pane = pane;
    this.surface = surface;
    this.view = null;
    this.local = new Map();
    this.timers = new Map();
    this.unsent = new Map();
    this.chains = new Map();
    this.onEdit = () => {};
    this.ctx = {
      ...pane.baseContext(),
      surface,
      valueOf: (blockId, element) => this.valueOf(blockId, element),
      input: (...given) => this.input(...given),
      act: (...given) => this.act(...given),
      options: (blockId, element, query) => post("options", { ...this.where(blockId, element), query }),
    };
  }

  where(blockId, element) {
    return { user: this.pane.user, view_id: this.view.id, block_id: blockId, action_id: element.action_id };
  }

  /** Takes a newer version of the view; what was typed into fields that are gone is forgotten. */
  take(view) {
    this.view = view;
    const present = new Set();
    for (const block of view.blocks ?? []) {
      for (const element of [block.element, block.accessory, ...(block.elements ?? [])]) {
        if (element?.action_id) present.add(`${block.block_id}|${element.action_id}`);
      }
    }
    for (const key of this.local.keys()) if (!present.has(key)) this.local.delete(key);
  }

  valueOf(blockId, element) {
    const mine = this.local.get(`${blockId}|${element.action_id}`);
    const kept = mine ?? this.view?.state?.values?.[blockId]?.[element.action_id];
    return !kept || (kept.type && kept.type !== element.type) ? undefined : kept;
  }

  input(blockId, element, value, { how, asked, dispatch }) {
    const key = `${blockId}|${element.action_id}`;
    this.local.set(key, value);
    this.onEdit(blockId);
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    this.unsent.set(key, { ...this.where(blockId, element), value, ...(asked ? { dispatch } : {}) });
    // A field that reports on Enter only is kept here until Enter or the form's own buttons send it.
    if (asked && !dispatch) return;
    if (how === "typing") this.timers.set(key, setTimeout(() => this.send(key), TYPING_PAUSE));
    else this.send(key);
  }

  send(key) {
    const body = this.unsent.get(key);
    this.unsent.delete(key);
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    if (!body) return;
    const before = this.chains.get(key) ?? Promise.resolve();
    this.chains.set(key, before.then(async () => {
      const answer = await post("input", body);
      if (!answer.ok && answer.error !== "not_found") this.pane.toast(explain(answer));
    }));
  }

  async flush() {
    for (const key of [...this.unsent.keys()]) {
      const body = this.unsent.get(key);
      if ("dispatch" in body && !this.timers.has(key)) body.dispatch = false;
      this.send(key);
    }
    await Promise.all(this.chains.values());
  }

  async act(blockId, element, value) {
    if (typeof value === "object") this.local.set(`${blockId}|${element.action_id}`, value);
    await this.flush();
    await this.pane.report(post("action", { ...this.where(blockId, element), value }));
  }

  /** What the client refuses by itself, by block. */
  refusals() {
    const errors = {};
    for (const block of this.view.blocks ?? []) {
      if (block.type !== "input") continue;
      const value = this.valueOf(block.block_id, block.element) ?? initialOf(block.element);
      const text = refusal(block.element, value, block.optional);
      if (text) errors[block.block_id] = text;
    }
    return errors;
  }

  async submit() {
    await this.flush();
    return post("submit", { user: this.pane.user, view_id: this.view.id });
  }
}

function initialOf(element) {
  const found = Object.entries(element).find(([name]) => name.startsWith("initial_"));
  return found ? { type: element.type, value: found[1] } : undefined;
}
