// Menus, lists that drop down, and the confirmation dialog.

import { freshId, h, keepingFocus, trapTab } from "./dom.js";
import { textNodes, textOf } from "./mrkdwn.js";

/** Puts a floating box below its anchor, or above it where there is more room. */
export function place(box, anchor, { wide = false } = {}) {
  const at = anchor.getBoundingClientRect();
  const below = window.innerHeight - at.bottom - 12;
  const above = at.top - 12;
  const up = below < Math.min(260, box.scrollHeight) && above > below;
  if (wide) box.style.minWidth = `${Math.max(180, at.width)}px`;
  box.style.maxHeight = `${Math.max(120, Math.min(320, up ? above : below))}px`;
  const size = box.getBoundingClientRect();
  const left = Math.min(at.left, window.innerWidth - size.width - 8);
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = up ? `${at.top - size.height - 4}px` : `${at.bottom + 4}px`;
}

/** Follows an anchor while it is on the page; calls back once it is gone. */
export function floating(box, anchor, options, onGone) {
  document.body.append(box);
  place(box, anchor, options);
  const follow = () => {
    if (!anchor.isConnected) onGone();
    else place(box, anchor, options);
  };
  window.addEventListener("scroll", follow, true);
  window.addEventListener("resize", follow);
  const watch = setInterval(() => {
    if (!anchor.isConnected) onGone();
  }, 500);
  return () => {
    clearInterval(watch);
    window.removeEventListener("scroll", follow, true);
    window.removeEventListener("resize", follow);
    box.remove();
  };
}

let closeOpenMenu = () => {};

/** items: {label, detail, act, href, danger, checked, lead, heading} */
export function openMenu(anchor, items, { label = "Menu", onclose } = {}) {
  closeOpenMenu();
  const entries = items.map((item) => {
    if (item.heading) return h("div", { class: "menu-heading", role: "presentation" }, item.heading);
    const role = item.checked === undefined ? "menuitem" : "menuitemradio";
    return h(item.href ? "a" : "button", {
      type: item.href ? null : "button",
      class: `menu-item${item.danger ? " danger" : ""}`,
      role,
      tabindex: "-1",
      href: item.href,
      target: item.href ? "_blank" : null,
      rel: item.href ? "noreferrer noopener" : null,
      testid: item.testid,
      "aria-checked": item.checked === undefined ? null : String(item.checked),
      onclick: () => {
        close(true);
        item.act?.();
      },
    }, item.lead, h("span", { class: "menu-words" }, h("span", {}, item.label), item.detail ? h("small", {}, item.detail) : null));
  });
  const box = h("div", { class: "menu", role: "menu", "aria-label": label }, entries);
  const stops = entries.filter((entry) => entry.tabIndex === -1 && entry.role !== "presentation");
  const unfloat = floating(box, anchor, {}, () => close(false));
  anchor.setAttribute("aria-expanded", "true");
  const outside = (event) => {
    if (!box.contains(event.target) && !anchor.contains(event.target)) close(false);
  };
  function close(refocus) {
    document.removeEventListener("mousedown", outside, true);
    unfloat();
    anchor.setAttribute("aria-expanded", "false");
    closeOpenMenu = () => {};
    if (refocus && anchor.isConnected) anchor.focus({ preventScroll: true });
    onclose?.();
  }
  box.addEventListener("keydown", (event) => {
    const at = stops.indexOf(document.activeElement);
    const move = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: stops.length - 1 }[event.key];
    if (move !== undefined) {
      stops[(move + stops.length) % stops.length].focus();
      event.preventDefault();
    } else if (event.key === "Escape" || event.key === "Tab") {
      close(true);
      event.preventDefault();
    }
    event.stopPropagation();
  });
  document.addEventListener("mousedown", outside, true);
  closeOpenMenu = () => close(false);
  (stops.find((entry) => entry.getAttribute("aria-checked") === "true") ?? stops[0])?.focus();
  return close;
}

/** Asks before something irreversible; answers whether the person agreed. */
export function confirmIn(host, confirm, ctx) {
  return new Promise((resolve) => {
    const title = freshId("confirm");
    const back = document.activeElement;
    const finish = (agreed) => {
      cover.remove();
      if (back?.isConnected) back.focus({ preventScroll: true });
      resolve(agreed);
    };
    const yes = h("button", {
      type: "button", testid: "confirm-yes", class: `button ${confirm.style === "danger" ? "danger" : "primary"}`, onclick: () => finish(true),
    }, textOf(confirm.confirm) || "Yes");
    const box = h("div", { class: "dialog", role: "alertdialog", "aria-modal": "true", "aria-labelledby": title, testid: "confirm" },
      h("h2", { id: title }, textNodes(confirm.title, ctx)),
      h("div", { class: "dialog-text" }, textNodes(confirm.text, ctx)),
      h("div", { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", testid: "confirm-no", onclick: () => finish(false) }, textOf(confirm.deny) || "Cancel"), yes));
    const cover = h("div", { class: "cover confirm-cover" }, box);
    cover.addEventListener("keydown", (event) => {
      if (event.key === "Escape") finish(false);
      trapTab(box, event);
      event.stopPropagation();
    });
    keepingFocus(host, () => host.append(cover));
    yes.focus();
  });
}
