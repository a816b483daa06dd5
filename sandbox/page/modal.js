// A person's stack of modals, laid over their pane. Only the top one shows; those below keep what was typed.

import { explain, post } from "./api.js";
import { patchBlocks } from "./blocks.js";
import { focusable, freshId, h, icon, iconButton, keepingFocus, trapTab } from "./dom.js";
import { Form } from "./form.js";
import { textNodes } from "./mrkdwn.js";

class Modal {
  constructor(pane, view) {
    this.pane = pane;
    this.form = new Form(pane, "modal");
    this.form.onEdit = (blockId) => this.fieldOf(blockId)?.showError(null);
    this.errorsSeen = "";
    this.isFresh = true;
    const id = freshId("modal");
    this.title = h("h2", { id });
    this.lead = h("span", { class: "modal-lead" });
    this.banner = h("div", { class: "banner", role: "alert", testid: "modal-error" });
    this.body = h("div", { class: "blocks" });
    this.closer = h("button", { type: "button", class: "button", testid: "modal-close", onclick: () => this.close() });
    this.submitter = h("button", { type: "button", class: "button primary", testid: "modal-submit", onclick: () => this.submit() });
    this.dialog = h("div", { class: "modal", role: "dialog", "aria-modal": "true", "aria-labelledby": id, tabindex: "-1", testid: "modal" },
      h("header", {}, this.lead, this.title, iconButton("close", "Close", () => this.close())),
      h("div", { class: "modal-body" }, this.banner, this.body),
      h("footer", {}, this.closer, this.submitter));
    this.node = h("div", { class: "cover" }, this.dialog);
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("mousedown", (event) => {
      if (event.target === this.node) this.dialog.focus();
    });
    this.update(view);
  }

  fieldOf(blockId) {
    return [...this.body.children].find((node) => node.dataset.testid === `field-${blockId}`);
  }

  update(view, depth = 1) {
    this.form.take(view);
    this.dialog.dataset.view = view.id;
    this.title.replaceChildren(...textNodes(view.title, this.form.ctx));
    this.lead.replaceChildren(depth > 1 ? iconButton("left", "Back", () => this.close()) : this.pane.appBadge());
    this.closer.replaceChildren(...(view.close ? textNodes(view.close, this.form.ctx) : ["Cancel"]));
    this.submitter.hidden = !view.submit;
    if (view.submit) this.submitter.replaceChildren(...textNodes(view.submit, this.form.ctx));
    this.setBusy(Boolean(view.busy || this.submitting));
    keepingFocus(this.body, () => patchBlocks(this.body, view.blocks, this.form.ctx));
    const errors = JSON.stringify(view.errors ?? {});
    if (errors !== this.errorsSeen) this.showErrors(view.errors ?? {});
    this.errorsSeen = errors;
  }

  setBusy(busy) {
    this.submitter.disabled = busy;
    this.submitter.setAttribute("aria-busy", String(busy));
    this.dialog.classList.toggle("busy", busy);
  }

  /** Puts each error under its field, and what belongs to no field on top. */
  showErrors(errors) {
    const rest = { ...errors };
    for (const node of this.body.children) {
      const blockId = node.dataset.testid?.replace(/^field-/, "");
      if (!node.showError) continue;
      node.showError(rest[blockId]);
      delete rest[blockId];
    }
    const words = Object.values(rest).filter(Boolean);
    this.banner.replaceChildren(...(words.length ? [icon("warn"), words.join(" ")] : []));
    const first = this.body.querySelector(".has-error");
    first?.scrollIntoView({ block: "nearest" });
    if (first) focusable(first)[0]?.focus({ preventScroll: true });
  }

  focusFirst() {
    const elsewhere = document.activeElement && document.activeElement !== document.body && !this.pane.node.contains(document.activeElement);
    if (elsewhere) return;
    const wanted = (this.form.view.blocks ?? []).find((block) => block.element?.focus_on_load || block.accessory?.focus_on_load);
    const place = wanted ? this.body.querySelector(`[data-key="${CSS.escape(`${wanted.block_id}|${(wanted.element ?? wanted.accessory).action_id}`)}"]`) : null;
    (place ?? this.body.querySelector(".field input, .field textarea") ?? this.dialog).focus({ preventScroll: !place });
  }

  key(event) {
    if (event.key === "Escape" && !event.defaultPrevented) {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.form.view.submit) {
      event.preventDefault();
      this.submit();
    } else trapTab(this.dialog, event);
  }

  async submit() {
    if (this.submitting) return;
    const refusals = this.form.refusals();
    this.showErrors(refusals);
    if (Object.keys(refusals).length) return;
    this.submitting = true;
    this.setBusy(true);
    const answer = await this.form.submit();
    this.submitting = false;
    this.setBusy(false);
    if (answer.errors && Object.keys(answer.errors).length) {
      this.errorsSeen = JSON.stringify(answer.errors);
      this.showErrors(answer.errors);
    } else if (!answer.ok) {
      this.showErrors({ "": `We had some trouble connecting. Try again? ${explain(answer)}` });
    }
    this.pane.refresh();
  }

  async close() {
    const id = this.form.view.id;
    this.pane.modals.forget(id);
    const answer = await post("close", { user: this.pane.user, view_id: id });
    if (!answer.ok) this.pane.modals.recall(id);
    this.pane.refresh();
  }
}

export class Modals {
  constructor(pane) {
    this.pane = pane;
    this.open = new Map();
    this.closing = new Set();
    this.node = h("div", { class: "modals" });
    this.before = null;
  }

  /** Takes a view away at once, before the workspace confirms that it is closed. */
  forget(viewId) {
    this.closing.add(viewId);
    this.show(this.last.filter((view) => view.id !== viewId));
  }

  /** A view that the workspace did not close shows again with its next state. */
  recall(viewId) {
    this.closing.delete(viewId);
  }

  /** Takes the workspace's views. A state asked for before a view was closed may still hold it: it stays away until one does not. */
  update(views) {
    for (const id of this.closing) if (!views.some((view) => view.id === id)) this.closing.delete(id);
    this.show(views.filter((view) => !this.closing.has(view.id)));
  }

  show(shown) {
    this.last = shown;
    const wasOpen = this.open.size > 0;
    if (!wasOpen && shown.length) this.before = document.activeElement;
    for (const [id, modal] of this.open) {
      if (shown.some((view) => view.id === id)) continue;
      modal.node.remove();
      this.open.delete(id);
    }
    shown.forEach((view, index) => {
      let modal = this.open.get(view.id);
      if (modal) modal.update(view, index + 1);
      else {
        modal = new Modal(this.pane, view);
        modal.update(view, index + 1);
        this.open.set(view.id, modal);
        this.node.append(modal.node);
      }
      const isTop = index === shown.length - 1;
      const uncovered = isTop && modal.node.hidden;
      modal.node.hidden = !isTop;
      if (isTop && (modal.isFresh || uncovered)) modal.focusFirst();
      modal.isFresh = false;
    });
    this.pane.workArea.inert = shown.length > 0;
    if (wasOpen && !shown.length) this.pane.focusAfterModal(this.before);
  }
}
