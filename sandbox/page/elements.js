// Elements that are pressed or ticked, and the door to all others.

import { freshId, h, icon } from "./dom.js";
import { INPUTS } from "./inputs.js";
import { textNodes, textOf } from "./mrkdwn.js";
import { confirmIn, openMenu } from "./popover.js";
import { SELECT_TYPES, selectNode } from "./selects.js";

const RUNNABLE = /^(https?:|mailto:|tel:|slack:)/i;

async function agreed(element, ctx) {
  return !element.confirm || confirmIn(ctx.host(), element.confirm, ctx);
}

async function busyWhile(node, work) {
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    node.removeAttribute("aria-busy");
  }
}

function button(element, site) {
  const { ctx } = site;
  if (element.visible_to_user_ids && !element.visible_to_user_ids.includes(ctx.viewer)) return null;
  const style = element.style ? ` ${element.style}` : "";
  const node = h(element.url ? "a" : "button", {
    class: `button${style}`, testid: `action-${element.action_id}`, "data-key": site.key,
    "aria-label": element.accessibility_label ?? null,
    ...(element.url ? { href: element.url, target: "_blank", rel: "noreferrer noopener" } : { type: "button" }),
    onclick: async (event) => {
      if (element.url && (ctx.openLink?.(element.url) || !RUNNABLE.test(element.url))) event.preventDefault();
      if (element.confirm && !element.url && !(await agreed(element, ctx))) return;
      await busyWhile(node, () => ctx.act(site.blockId, element, element.value ?? ""));
    },
  }, textNodes(element.text, ctx));
  return node;
}

function overflow(element, site) {
  const { ctx } = site;
  const node = h("button", {
    type: "button", class: "button overflow", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false",
    testid: `action-${element.action_id}`, "data-key": site.key,
    onclick: () => openMenu(node, (element.options ?? []).map((option) => ({
      label: textNodes(option.text, ctx),
      detail: textOf(option.description),
      href: RUNNABLE.test(option.url ?? "") ? option.url : null,
      testid: `option-${option.value}`,
      act: async () => {
        if (await agreed(element, ctx)) await busyWhile(node, () => ctx.act(site.blockId, element, option.value));
      },
    })), { label: "More actions" }),
  }, icon("dots"));
  return node;
}

/** Checkboxes and radio buttons. */
function choices(element, site, type) {
  const many = type === "checkbox";
  const key = many ? "selected_options" : "selected_option";
  const kept = site.value?.[key] ?? element[many ? "initial_options" : "initial_option"];
  const start = new Set((many ? kept ?? [] : kept ? [kept] : []).map((option) => option.value));
  const name = freshId("choice");
  const pairs = (element.options ?? []).map((option) => {
    const id = freshId("option");
    const box = h("input", { type, id, name, value: option.value, checked: start.has(option.value), "data-key": `${site.key}|${option.value}` });
    box.addEventListener("change", publish);
    return { option, box, row: h("div", { class: "choice" }, box, h("label", { for: id }, h("span", {}, textNodes(option.text, site.ctx)),
      option.description ? h("small", {}, textNodes(option.description, site.ctx)) : null)) };
  });
  function publish() {
    const chosen = pairs.filter((pair) => pair.box.checked).map((pair) => pair.option);
    site.commit({ type: element.type, [key]: many ? chosen : chosen[0] ?? null }, "choice");
  }
  return h("div", {
    class: "choices", role: many ? "group" : "radiogroup", testid: `action-${element.action_id}`, ...site.labels, id: null,
  }, pairs.map((pair) => pair.row));
}

export function imageNode(picture, ctx, props) {
  const url = picture.image_url ?? picture.slack_file?.url ?? ctx?.fileUrl?.(picture.slack_file?.id);
  const missing = () => h("span", { class: "image-missing", role: "img", "aria-label": picture.alt_text }, icon("file"), picture.alt_text || "image");
  if (!url || !/^(https?:|\/|data:image\/)/.test(url)) return missing();
  const node = h("img", { src: url, alt: picture.alt_text ?? "", loading: "lazy", ...props });
  node.addEventListener("error", () => node.replaceWith(missing()));
  return node;
}

function feedback(element, site) {
  const one = (part, name) => h("button", {
    type: "button", class: "button small-button", "aria-label": part.accessibility_label ?? null, testid: `action-${element.action_id}-${name}`,
    onclick: () => site.ctx.act(site.blockId, element, part.value),
  }, textNodes(part.text, site.ctx));
  return h("span", { class: "feedback" }, one(element.positive_button, "positive"), one(element.negative_button, "negative"));
}

const BUILDERS = {
  button,
  icon_button: button,
  workflow_button: button,
  overflow,
  feedback_buttons: feedback,
  image: (element, site) => imageNode(element, site.ctx, { class: "thumb" }),
  checkboxes: (element, site) => choices(element, site, "checkbox"),
  radio_buttons: (element, site) => choices(element, site, "radio"),
  ...INPUTS,
  ...Object.fromEntries(SELECT_TYPES.map((name) => [name, selectNode])),
};

function unknown(element) {
  return h("span", { class: "unknown-part" }, `Element of type ${element.type}`);
}

/**
 * An element and how it speaks. In an input block it stores its value; elsewhere each change is an action.
 * place: {blockId, role: "input" | "action", labels, optional, dispatch}
 */
export function elementNode(element, ctx, place) {
  const site = {
    labels: {}, optional: false, dispatch: false, ...place, ctx,
    key: `${place.blockId}|${element.action_id}`,
    value: ctx.valueOf?.(place.blockId, element),
  };
  site.commit = async (value, how, wanted = true) => {
    if (site.role === "input") {
      ctx.input(site.blockId, element, value, { how, asked: site.dispatch, dispatch: site.dispatch && wanted });
    } else if (await agreed(element, ctx)) {
      ctx.act(site.blockId, element, value);
    }
  };
  return (BUILDERS[element.type] ?? unknown)(element, site);
}
