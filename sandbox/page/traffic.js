// What crosses between the workspace and the app, newest first, and the switches that make calls fail.

import { get, post } from "./api.js";
import { debounce, h, icon, iconButton, reconcile } from "./dom.js";

const KEPT = 400;
const FAULTS = [
  ["ratelimited", "be rate limited (429)"],
  ["error", "answer internal_error"],
  ["timeout_after", "be done, but the answer gets lost"],
  ["drop_before", "get lost before they arrive"],
  ["delay", "take long"],
];
const METHODS = ["chat.postMessage", "chat.update", "chat.postEphemeral", "views.open", "views.update", "views.push", "views.publish",
  "files.getUploadURLExternal", "files.completeUploadExternal", "users.info", "conversations.info"];

function parsed(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  return h("span", { class: `json-${kind}` }, kind === "string" ? JSON.stringify(value) : String(value));
}

/** A value as a tree whose branches fold. */
export function jsonTree(value, name = null, depth = 0) {
  const label = name === null ? "" : h("span", { class: "json-key" }, `${name}: `);
  const inside = typeof value === "string" ? parsed(value) : value;
  if (inside === null || typeof inside !== "object") return h("div", { class: "json-line" }, label, leaf(value));
  const entries = Object.entries(inside);
  const [start, end] = Array.isArray(inside) ? ["[", "]"] : ["{", "}"];
  if (!entries.length) return h("div", { class: "json-line" }, label, `${start}${end}`);
  const text = typeof value === "string" ? h("em", { class: "json-note" }, " as text") : null;
  const branch = h("details", { class: "json-branch", open: depth < 2 }, h("summary", {}, label, `${start} ${entries.length} ${end}`, text));
  const fill = () => {
    if (branch.open && branch.childElementCount === 1) branch.append(h("div", { class: "json-body" }, entries.map(([key, each]) => jsonTree(each, key, depth + 1))));
  };
  branch.addEventListener("toggle", fill);
  fill();
  return branch;
}

function again(entry) {
  const said = h("span", { class: "muted small", role: "status" });
  const send = async (times, parallel) => {
    said.textContent = "sending…";
    const answer = await post("redeliver", { delivery: entry.delivery, times, parallel });
    said.textContent = answer.ok ? `sent, the app answered ${(answer.statuses ?? []).join(", ") || "ok"}` : `not sent: ${answer.error}`;
  };
  return h("div", { class: "again" },
    h("button", { type: "button", class: "button small-button", testid: "redeliver", onclick: () => send(1, false) }, icon("again"), "Deliver again"),
    h("button", { type: "button", class: "button small-button", onclick: () => send(3, false) }, "3 times in a row"),
    h("button", { type: "button", class: "button small-button", onclick: () => send(3, true) }, "3 times at once"), said);
}

function entryNode(entry) {
  const toApp = entry.direction === "to app";
  const bad = entry.status === 0 || entry.status >= 400 || entry.response?.ok === false;
  const node = h("details", { class: "traffic-entry", testid: "traffic-entry" }, h("summary", {},
    h("time", {}, new Date(entry.at * 1000).toLocaleTimeString("en-GB")),
    h("span", { class: `direction ${toApp ? "to" : "from"}` }, toApp ? "→ app" : "← app"),
    h("b", {}, String(entry.name)),
    h("span", { class: `status${bad ? " bad" : ""}` }, entry.response?.ok === false ? String(entry.response.error) : entry.status === 0 ? "no answer" : String(entry.status)),
    h("span", { class: "muted" }, `${entry.elapsed_ms ?? 0} ms`)));
  node.addEventListener("toggle", () => {
    if (!node.open || node.childElementCount > 1) return;
    node.append(h("div", { class: "traffic-detail" }, entry.delivery ? again(entry) : null,
      h("div", { class: "traffic-pair" },
        h("div", {}, h("h4", {}, toApp ? "Sent to the app" : "The app's call"), jsonTree(entry.request)),
        h("div", {}, h("h4", {}, toApp ? "The app's answer" : "Answer"), jsonTree(entry.response)))));
  });
  return node;
}

function faultForm() {
  const method = h("input", { class: "text-input", value: "chat.postMessage", list: "fault-methods", "aria-label": "Method", spellcheck: "false" });
  const kind = h("select", { class: "text-input", "aria-label": "How they fail" }, FAULTS.map(([value, label]) => h("option", { value }, label)));
  const times = h("input", { class: "text-input tiny", type: "number", min: "1", max: "50", value: "1", "aria-label": "How many calls" });
  const seconds = h("input", { class: "text-input tiny", type: "number", min: "0", max: "60", value: "2", "aria-label": "Seconds" });
  const said = h("span", { class: "muted small", role: "status" });
  const apply = async () => {
    const size = Number(seconds.value);
    const more = kind.value === "ratelimited" ? { retry_after: size } : kind.value === "delay" ? { seconds: size } : {};
    const answer = await post("faults", { method: method.value.trim(), kind: kind.value, times: Number(times.value), ...more });
    said.textContent = answer.ok ? `set for the next ${times.value}` : `not set: ${answer.error}`;
  };
  const unit = h("label", {}, "for ", seconds, " s");
  const show = () => { unit.hidden = !["ratelimited", "delay"].includes(kind.value); };
  kind.addEventListener("change", show);
  show();
  return h("div", { class: "faults", role: "group", "aria-label": "Fault switches" }, h("datalist", { id: "fault-methods" }, METHODS.map((value) => h("option", { value }))),
    h("span", {}, "Let the next"), times, h("span", {}, "calls of"), method, kind, unit,
    h("button", { type: "button", class: "button small-button", testid: "fault-apply", onclick: apply }, "Set"), said);
}

export class Traffic {
  constructor(onToggle) {
    this.entries = [];
    this.onToggle = onToggle;
    this.later = debounce(150, () => this.refresh());
    this.filter = h("input", { class: "text-input", type: "search", placeholder: "Filter by name, direction or content", "aria-label": "Filter traffic", testid: "traffic-filter", oninput: () => this.draw() });
    this.list = h("div", { class: "traffic-list", testid: "traffic-list" });
    this.node = h("section", { class: "traffic", "aria-label": "Traffic", testid: "traffic", hidden: true },
      h("header", {}, h("h2", {}, "Traffic"), this.filter, faultForm(), h("span", { class: "grow" }), iconButton("close", "Close traffic", () => this.toggle(false))),
      this.list);
  }

  toggle(open = this.node.hidden) {
    this.node.hidden = !open;
    this.onToggle(open);
    if (open) this.refresh();
  }

  poke() {
    if (!this.node.hidden) this.later();
  }

  async refresh() {
    const last = this.entries[this.entries.length - 1]?.id;
    const answer = await get("traffic", last ? { after: last } : {});
    if (!answer.ok) return;
    const known = new Set(this.entries.map((entry) => entry.id));
    this.entries = [...this.entries, ...answer.entries.filter((entry) => !known.has(entry.id))].slice(-KEPT);
    this.draw();
  }

  draw() {
    const wanted = this.filter.value.trim().toLowerCase();
    const shown = this.entries.filter((entry) => !wanted || JSON.stringify(entry).toLowerCase().includes(wanted)).reverse();
    reconcile(this.list, shown, { key: (entry) => entry.id, mark: () => "", build: entryNode });
    this.list.classList.toggle("empty", !shown.length);
  }
}
