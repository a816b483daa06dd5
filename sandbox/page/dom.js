// Building and patching the document. Data only ever becomes text or attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
}

/** h("button", {class: "x", onclick: f, "aria-label": "y"}, "text", node, [more]) */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(node.style, value);
    else if (name === "testid") node.dataset.testid = value;
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  return append(node, children);
}

export function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  return append(node, children);
}

const ICONS = {
  hash: "M10 4 8 20M16 4l-2 16M4.5 9h16M3.5 15h16",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  home: "M4 11.5 12 5l8 6.5M6.5 10v9.5h11V10M10.5 19.5V14h3v5.5",
  bolt: "M13 3 5.5 13.5H12L11 21l7.5-10.5H12z",
  reply: "M5 5h14v10.5H11L7 19v-3.5H5zM9 10.2h6",
  dots: "M12 5.6v.1M12 12v.1M12 18.4v.1",
  close: "M6 6l12 12M18 6 6 18",
  down: "M6 9.5l6 6 6-6",
  right: "M9.5 6l6 6-6 6",
  left: "M14.5 6l-6 6 6 6",
  plus: "M12 5v14M5 12h14",
  at: "M15.5 12a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zm0-3.5v4.8a2.4 2.4 0 0 0 4.8 0V12a8.3 8.3 0 1 0-3.4 6.7",
  send: "M4 4.5 20.5 12 4 19.5 6.5 12zM6.5 12H13",
  eye: "M2.8 12S6 6 12 6s9.2 6 9.2 6-3.2 6-9.2 6-9.2-6-9.2-6zM14.6 12a2.6 2.6 0 1 1-5.2 0 2.6 2.6 0 0 1 5.2 0z",
  file: "M6.5 3.5h7L18 8v12.5H6.5zM13 3.5V8.5h5",
  download: "M12 4v11M7.5 10.8 12 15.3l4.5-4.5M5 19.5h14",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1",
  traffic: "M3 12h4l2.5-7 5 14 2.5-7h4",
  person: "M15.5 8.5a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zM5 20c.6-4 3.4-6 7-6s6.4 2 7 6",
  menu: "M4 6.5h16M4 12h16M4 17.5h16",
  check: "M5 12.5l4.5 4.5L19 7.5",
  again: "M19 8.5A8 8 0 1 0 20 13M19.5 4v5h-5",
  warn: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.1",
  info: "M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0zM12 11v5.5M12 7.6v.1",
  calendar: "M4.5 6h15v14h-15zM4.5 10.5h15M8.5 3.5V7M15.5 3.5V7",
  sort: "M8 10l4-4 4 4M8 14l4 4 4-4",
};

export function icon(name, label) {
  const attributes = { viewBox: "0 0 24 24", class: `icon icon-${name}` };
  if (label) Object.assign(attributes, { role: "img", "aria-label": label });
  else attributes["aria-hidden"] = "true";
  return svg("svg", attributes, svg("path", { d: ICONS[name] ?? ICONS.info }));
}

export function iconButton(name, label, onclick, props) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

const held = new WeakMap();

/**
 * Makes the children of a container follow a list. A child is kept as it is while its mark stays the same, so that
 * focus, caret, scroll and half-typed text in it survive; order changes move only what moved.
 */
export function reconcile(container, items, { key, mark, build, gone }) {
  const before = held.get(container) ?? new Map();
  const after = new Map();
  for (const item of items) after.set(String(key(item)), null);
  for (const [id, entry] of before) {
    if (after.has(id)) continue;
    gone?.(entry.node);
    entry.node.remove();
  }
  let cursor = container.firstChild;
  for (const item of items) {
    const id = String(key(item));
    const sign = mark(item);
    let entry = before.get(id);
    if (!entry || entry.sign !== sign) {
      const node = build(item, entry?.node);
      if (entry && entry.node !== node && entry.node.parentNode === container) {
        if (cursor === entry.node) cursor = node;
        entry.node.replaceWith(node);
      }
      entry = { sign, node };
    }
    after.set(id, entry);
    if (cursor === entry.node) cursor = cursor.nextSibling;
    else container.insertBefore(entry.node, cursor);
  }
  while (cursor) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
  held.set(container, after);
}

/** Runs a change of the document and puts the focus and the caret back where they were. */
export function keepingFocus(container, change) {
  const active = document.activeElement;
  const key = container.contains(active) ? active.dataset.key : undefined;
  const caret = key && typeof active.selectionStart === "number" ? [active.selectionStart, active.selectionEnd] : null;
  change();
  if (!key || document.activeElement === active) return;
  const successor = [...container.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key);
  if (!successor) return;
  successor.focus({ preventScroll: true });
  if (caret && typeof successor.selectionStart === "number") successor.setSelectionRange(...caret);
}

export function debounce(wait, action) {
  let timer = 0;
  const later = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), wait);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

const FOCUSABLE = "a[href], button:not([disabled]), input:not([disabled]), select, textarea:not([disabled]), [tabindex='0'], summary";

export function focusable(root) {
  return [...root.querySelectorAll(FOCUSABLE)].filter((node) => node.getClientRects().length && node.tabIndex >= 0);
}

/** Keeps Tab inside a dialog. */
export function trapTab(root, event) {
  if (event.key !== "Tab") return;
  const stops = focusable(root);
  if (!stops.length) return;
  const first = stops[0];
  const last = stops[stops.length - 1];
  if (event.shiftKey && (document.activeElement === first || document.activeElement === root)) {
    last.focus();
    event.preventDefault();
  } else if (!event.shiftKey && document.activeElement === last) {
    first.focus();
    event.preventDefault();
  }
}

let serial = 0;

export function freshId(prefix) {
  serial += 1;
  return `${prefix}-${serial}`;
}
