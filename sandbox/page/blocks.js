// Every block of Block Kit as nodes. What is not known is shown as an honest grey box.

import { dataVisualization } from "./charts.js";
import { freshId, h, icon, reconcile } from "./dom.js";
import { elementNode, imageNode } from "./elements.js";
import { markdown } from "./markdown.js";
import { plainText, textNodes, textOf } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";

function place(block, role = "action", more = {}) {
  return { blockId: block.block_id ?? "", role, ...more };
}

function section(block, ctx) {
  const accessory = block.accessory && elementNode(block.accessory, ctx, place(block, "action", {
    labels: block.accessory.type === "image" ? {} : { "aria-label": textOf(block.text).slice(0, 80) || null },
  }));
  return h("div", { class: `block section${accessory ? " has-accessory" : ""}${block.accessory?.type === "image" ? " has-image" : ""}` },
    h("div", { class: "section-words" },
      block.text ? h("div", { class: "words" }, textNodes(block.text, ctx)) : null,
      block.fields ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "words" }, textNodes(field, ctx)))) : null),
    accessory ? h("div", { class: "accessory" }, accessory) : null);
}

function actions(block, ctx) {
  return h("div", { class: "block actions" }, (block.elements ?? []).map((element) => elementNode(element, ctx, place(block))));
}

function context(block, ctx) {
  return h("div", { class: "block context" }, (block.elements ?? []).map((part) => (part.type === "image"
    ? imageNode(part, ctx, { class: "context-image" }) : h("span", { class: "words" }, textNodes(part, ctx)))));
}

function header(block, ctx) {
  return h("div", { class: "block header", role: "heading", "aria-level": "3" }, textNodes(block.text, ctx));
}

function image(block, ctx) {
  return h("figure", { class: "block image" }, block.title ? h("figcaption", {}, textNodes(block.title, ctx)) : null, imageNode(block, ctx));
}

function input(block, ctx) {
  const element = block.element ?? {};
  const id = freshId("field");
  const group = ["checkboxes", "radio_buttons"].includes(element.type);
  const labels = {
    "aria-labelledby": `${id}-label`, "aria-describedby": `${id}-hint ${id}-error`, "aria-required": group || block.optional ? null : "true",
    ...(group ? {} : { id }),
  };
  const label = h(group ? "div" : "label", { class: "field-label", id: `${id}-label`, for: group ? null : id },
    textNodes(block.label, ctx), block.optional ? h("span", { class: "optional" }, " (optional)") : null);
  const error = h("p", { class: "field-error", id: `${id}-error`, role: "alert", testid: `error-${block.block_id}` });
  const node = h("div", { class: "block field", testid: `field-${block.block_id}` }, label,
    elementNode(element, ctx, place(block, "input", { labels, optional: Boolean(block.optional), dispatch: Boolean(block.dispatch_action) })),
    error, h("p", { class: "hint", id: `${id}-hint` }, block.hint ? textNodes(block.hint, ctx) : null));
  node.showError = (text) => {
    const words = text ?? "";
    if (error.textContent === words) return;
    error.replaceChildren(...(words ? [icon("warn"), words] : []));
    node.classList.toggle("has-error", Boolean(words));
    node.querySelector("input, textarea")?.setAttribute("aria-invalid", String(Boolean(words)));
  };
  return node;
}

function alert(block, ctx) {
  const level = block.level ?? "default";
  const sign = { error: "warn", warning: "warn", success: "check" }[level] ?? "info";
  return h("div", { class: `block alert alert-${level}`, role: ["error", "warning"].includes(level) ? "alert" : "status" },
    icon(sign), h("div", { class: "words" }, textNodes(block.text, ctx)));
}

function card(block, ctx) {
  const pictured = block.icon ? imageNode(block.icon, ctx, { class: "card-icon" }) : block.slack_icon ? icon("file") : null;
  return h("div", { class: "block card" },
    block.hero_image ? imageNode(block.hero_image, ctx, { class: "hero" }) : null,
    h("div", { class: "card-head" }, pictured, h("div", {},
      block.title ? h("div", { class: "card-title words" }, textNodes(block.title, ctx)) : null,
      block.subtitle ? h("div", { class: "card-subtitle words" }, textNodes(block.subtitle, ctx)) : null)),
    block.body ? h("div", { class: "words" }, textNodes(block.body, ctx)) : null,
    block.subtext ? h("div", { class: "muted small words" }, textNodes(block.subtext, ctx)) : null,
    block.actions ? h("div", { class: "actions" }, block.actions.map((element) => elementNode(element, ctx, place(block)))) : null);
}

function carousel(block, ctx) {
  const track = h("div", { class: "carousel-track", tabindex: "0", role: "group", "aria-label": "Cards" }, (block.elements ?? []).map((each) => card(each, ctx)));
  const move = (by) => track.scrollBy({ left: by * track.clientWidth * 0.8, behavior: "smooth" });
  const arrow = (side, by) => h("button", { type: "button", class: `icon-button carousel-${side}`, "aria-label": by < 0 ? "Earlier cards" : "Later cards", onclick: () => move(by) }, icon(side));
  return h("div", { class: "block carousel" }, track, block.elements?.length > 1 ? [arrow("left", -1), arrow("right", 1)] : null);
}

function container(block, ctx) {
  const title = block.rich_text_title ? richText(block.rich_text_title, ctx) : textNodes(block.title, ctx);
  const head = [block.icon ? imageNode(block.icon, ctx, { class: "card-icon" }) : null, h("span", { class: "container-title" },
    h("span", { class: "card-title" }, title), block.subtitle ? h("span", { class: "card-subtitle words" }, textNodes(block.subtitle, ctx)) : null)];
  const body = h("div", { class: "container-body" }, (block.child_blocks ?? []).map((child) => blockNode(child, ctx)));
  const className = `block container width-${block.width ?? "standard"}${block.has_header_divider ? " divided" : ""}`;
  if (!block.is_collapsible) return h("div", { class: className }, h("div", { class: "container-head" }, head), body);
  return h("details", { class: className, open: !block.default_collapsed }, h("summary", { class: "container-head" }, icon("right"), head), body);
}

function video(block) {
  return h("div", { class: "block card" }, h("div", { class: "card-title" }, icon("right"), " ", textNodes(block.title)),
    block.description ? h("div", { class: "muted small" }, textNodes(block.description)) : null,
    h("div", { class: "muted small" }, [block.provider_name, block.author_name, block.video_url].filter(Boolean).join(" · ")));
}

function remoteFile(block) {
  return h("div", { class: "block file-card" }, icon("file"), h("span", {}, `Remote file ${block.external_id ?? ""}`));
}

const STATUS = { pending: "○", in_progress: "◐", complete: "✓", error: "✕" };

function task(block, ctx) {
  return h("div", { class: `block card task-${block.status}` },
    h("div", { class: "card-title" }, `${STATUS[block.status] ?? ""} `, plainText(block.title)),
    block.details ? richText(block.details, ctx) : null, block.output ? richText(block.output, ctx) : null);
}

function plan(block, ctx) {
  return h("div", { class: "block container" }, h("div", { class: "container-head card-title" }, plainText(block.title)),
    h("div", { class: "container-body" }, (block.tasks ?? []).map((each) => task(each, ctx))));
}

function authProvider(block) {
  return h("div", { class: "block card" }, h("div", { class: "card-title" }, textNodes(block.name)),
    h("div", { class: "muted small" }, block.is_connected ? "Connected" : "Not connected"));
}

const BLOCKS = {
  section, actions, context, header, image, input, alert, card, carousel, container, video, plan,
  context_actions: actions,
  divider: () => h("hr", { class: "block divider" }),
  rich_text: (block, ctx) => h("div", { class: "block" }, richText(block, ctx)),
  markdown: (block, ctx) => h("div", { class: "block" }, markdown(block.text, ctx)),
  table: (block, ctx) => h("div", { class: "block" }, table(block, ctx)),
  data_table: (block, ctx) => h("div", { class: "block" }, dataTable(block, ctx)),
  data_visualization: (block) => h("div", { class: "block" }, dataVisualization(block)),
  file: remoteFile,
  task_card: task,
  auth_provider: authProvider,
};

export function blockNode(block, ctx) {
  const draw = BLOCKS[block?.type];
  if (!draw) return h("div", { class: "block unknown-block" }, `Block of type “${block?.type ?? "none"}”, which this page cannot draw`);
  try {
    return draw(block, ctx);
  } catch (problem) {
    return h("div", { class: "block unknown-block" }, `Block of type “${block.type}” could not be drawn: ${problem.message}`);
  }
}

/** Makes a container show these blocks; unchanged blocks keep their nodes, and so what was typed into them. */
export function patchBlocks(holder, blocks, ctx) {
  const seen = new Map();
  const items = (blocks ?? []).map((block, index) => {
    const id = block.block_id || `#${index}`;
    const times = seen.get(id) ?? 0;
    seen.set(id, times + 1);
    return { block, id: times ? `${id}+${times}` : id };
  });
  reconcile(holder, items, {
    key: (item) => item.id,
    mark: (item) => JSON.stringify(item.block),
    build: (item) => blockNode(item.block, ctx),
  });
}
