// Every select menu: one or many, with its own list, the app's list, people or conversations.

import { debounce, freshId, h, icon } from "./dom.js";
import { plainText, textOf } from "./mrkdwn.js";
import { floating } from "./popover.js";

const PAUSE = 250;

function optionOf(value, text, description) {
  return { text: { type: "plain_text", text }, value, ...(description ? { description: { type: "plain_text", text: description } } : {}) };
}

function peopleOptions(ctx) {
  return ctx.directory.people.map((person) => optionOf(person.id, ctx.directory.display(person.id), person.title));
}

function channelOptions(ctx) {
  return ctx.directory.channels.map((channel) => optionOf(channel.id, `#${channel.name}`));
}

function conversationOptions(ctx, element) {
  const kinds = element.filter?.include ?? ["public", "private", "im"];
  const channels = ctx.directory.channels.filter((channel) => kinds.includes(channel.is_private ? "private" : "public"));
  const people = kinds.includes("im") ? peopleOptions(ctx) : [];
  return [...channels.map((channel) => optionOf(channel.id, `#${channel.name}`)), ...people];
}

/** How each kind finds its choices, and under which names its value is kept in a view's state. */
const KINDS = {
  static_select: { one: "selected_option", many: "selected_options", first: ["initial_option", "initial_options"], whole: true },
  external_select: { one: "selected_option", many: "selected_options", first: ["initial_option", "initial_options"], whole: true },
  users_select: { one: "selected_user", many: "selected_users", first: ["initial_user", "initial_users"], list: peopleOptions },
  channels_select: { one: "selected_channel", many: "selected_channels", first: ["initial_channel", "initial_channels"], list: channelOptions },
  conversations_select: {
    one: "selected_conversation", many: "selected_conversations", first: ["initial_conversation", "initial_conversations"], list: conversationOptions,
  },
};

function matches(option, query) {
  const words = `${textOf(option.text)} ${textOf(option.description)}`.toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => words.includes(word));
}

function groupsOf(answer) {
  const groups = answer.option_groups?.length ? answer.option_groups : [{ options: answer.options ?? [] }];
  return groups.filter((group) => group.options?.length);
}

export function selectNode(element, site) {
  const many = element.type.startsWith("multi_");
  const name = element.type.replace(/^multi_/, "");
  const kind = KINDS[name];
  const external = name === "external_select";
  const least = element.min_query_length ?? 3;
  const key = many ? kind.many : kind.one;
  const ctx = site.ctx;
  const known = kind.list?.(ctx, element) ?? [];
  const lookUp = (value) => (kind.whole ? value : known.find((option) => option.value === value) ?? optionOf(value, value));

  let first = site.value?.[key];
  if (first === undefined) first = element[kind.first[many ? 1 : 0]];
  if (first === undefined && element.default_to_current_conversation && ctx.channel) first = many ? [ctx.channel] : ctx.channel;
  let chosen = (many ? first ?? [] : first ? [first] : []).map(lookUp);

  let open = false;
  let groups = [];
  let active = -1;
  let note = "";
  let asked = 0;
  let changedWhileOpen = false;
  let unfloat = () => {};

  const listId = freshId("list");
  const placeholder = textOf(element.placeholder) || (many ? "Select options" : "Select an option");
  const input = h("input", {
    ...site.labels, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "data-key": site.key,
    "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list", testid: `action-${element.action_id}`,
    ...(site.labels["aria-labelledby"] ? {} : { "aria-label": site.labels["aria-label"] ?? placeholder }),
  });
  const box = h("div", { class: `select${many ? " multi" : ""}` });
  const list = h("div", { class: "menu options", role: "listbox", id: listId, "aria-multiselectable": many ? "true" : null, "aria-label": placeholder });

  const flat = () => groups.flatMap((group) => group.options);
  const isChosen = (option) => chosen.some((one) => one.value === option.value);

  function publish() {
    const values = chosen.map((option) => (kind.whole ? option : option.value));
    site.commit({ type: element.type, [key]: many ? values : values[0] ?? null }, "choice");
  }

  function drawBox() {
    const chips = many ? chosen.map((option) => h("span", { class: "chip", testid: "chip" }, plainText(textOf(option.text)),
      h("button", { type: "button", class: "chip-remove", "aria-label": `Remove ${textOf(option.text)}`, onclick: () => toggle(option) }, icon("close")))) : [];
    for (const old of box.querySelectorAll(".chip, .clear")) old.remove();
    box.prepend(...chips);
    if (!many && !open) input.value = chosen[0] ? textOf(chosen[0].text) : "";
    input.placeholder = many && chosen.length ? "" : placeholder;
    if (!many && chosen.length && site.optional) {
      box.insertBefore(h("button", { type: "button", class: "clear", "aria-label": "Clear", onclick: () => choose(null) }, icon("close")), box.lastChild);
    }
  }

  function optionNode(option, index) {
    return h("div", {
      class: "menu-item", role: "option", id: `${listId}-${index}`, "aria-selected": String(isChosen(option)), testid: "option",
      onmousedown: (event) => event.preventDefault(),
      onclick: () => pick(option),
    }, h("span", { class: "menu-words" }, h("span", {}, plainText(textOf(option.text))),
      option.description ? h("small", {}, plainText(textOf(option.description))) : null), isChosen(option) ? icon("check") : null);
  }

  function drawList() {
    let index = -1;
    const nodes = groups.map((group) => [
      group.label ? h("div", { class: "menu-heading", role: "presentation" }, plainText(textOf(group.label))) : null,
      group.options.map((option) => {
        index += 1;
        return optionNode(option, index);
      }),
    ]);
    list.replaceChildren();
    list.append(...nodes.flat(2).filter(Boolean));
    if (note || index < 0) list.append(h("div", { class: "menu-note", role: "status" }, note || "Nothing matches."));
    mark(Math.min(active, index));
  }

  function mark(index) {
    active = index;
    const nodes = list.querySelectorAll("[role=option]");
    nodes.forEach((node, position) => node.classList.toggle("active", position === index));
    if (nodes[index]) {
      input.setAttribute("aria-activedescendant", nodes[index].id);
      nodes[index].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  const ask = debounce(PAUSE, async (query) => {
    asked += 1;
    const mine = asked;
    const answer = await ctx.options(site.blockId, element, query);
    if (mine !== asked || !open) return;
    groups = groupsOf(answer);
    note = answer.ok === false ? `Could not load options: ${answer.error}` : "";
    active = 0;
    drawList();
  });

  function search(query) {
    if (external) {
      asked += 1;
      if (query.length < least) {
        ask.cancel();
        groups = [];
        note = `Type ${least === 1 ? "something" : `at least ${least} characters`} to search.`;
      } else {
        note = "Searching…";
        ask(query);
      }
    } else {
      note = "";
      const all = known.length ? [{ options: known }] : groupsOf(element);
      groups = all.map((group) => ({ ...group, options: group.options.filter((option) => !query || matches(option, query)) }));
      groups = groups.filter((group) => group.options.length);
    }
    const current = many || query ? -1 : flat().findIndex(isChosen);
    active = current >= 0 ? current : 0;
    drawList();
  }

  function show(query = "") {
    if (open) return;
    open = true;
    changedWhileOpen = false;
    input.setAttribute("aria-expanded", "true");
    unfloat = floating(list, box, { wide: true }, hide);
    if (!many && !query) input.select();
    search(query);
  }

  function hide() {
    if (!open) return;
    open = false;
    asked += 1;
    ask.cancel();
    unfloat();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    if (many) input.value = "";
    drawBox();
    if (changedWhileOpen) publish();
    changedWhileOpen = false;
  }

  function choose(option) {
    const same = (chosen[0]?.value ?? null) === (option?.value ?? null);
    chosen = option ? [option] : [];
    hide();
    drawBox();
    if (!same || site.role === "action") publish();
  }

  function toggle(option) {
    if (isChosen(option)) chosen = chosen.filter((one) => one.value !== option.value);
    else if (chosen.length < (element.max_selected_items ?? Infinity)) chosen = [...chosen, option];
    else {
      note = `At most ${element.max_selected_items} can be selected.`;
      drawList();
      return;
    }
    input.value = "";
    drawBox();
    if (open) {
      if (external) drawList();
      else search("");
    }
    // As in Slack, the app hears of several choices once, when the list closes.
    if (open && (site.role === "action" || site.dispatch)) changedWhileOpen = true;
    else publish();
  }

  function pick(option) {
    if (many) toggle(option);
    else choose(option);
  }

  const keys = {
    ArrowDown: () => (open ? mark((active + 1) % Math.max(1, flat().length)) : show()),
    ArrowUp: () => (open ? mark((active - 1 + flat().length) % Math.max(1, flat().length)) : show()),
    Enter: () => (open && flat()[active] ? pick(flat()[active]) : show()),
    Escape: () => hide(),
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !open) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return;
    if (many && event.key === "Backspace" && !input.value && chosen.length) toggle(chosen[chosen.length - 1]);
    if (event.key === "Tab") hide();
    if (!keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
    event.stopPropagation();
  });
  input.addEventListener("input", () => {
    if (open) search(input.value);
    else show(input.value);
  });
  input.addEventListener("mousedown", () => {
    if (open && document.activeElement === input) hide();
    else setTimeout(() => show());
  });
  input.addEventListener("blur", () => hide());
  box.addEventListener("mousedown", (event) => {
    if (event.target.closest(".chip-remove, .clear, input")) return;
    event.preventDefault();
    input.focus();
    setTimeout(() => show());
  });
  box.append(input, icon("down"));
  drawBox();
  return box;
}

export const SELECT_TYPES = Object.keys(KINDS).flatMap((name) => [name, `multi_${name}`]);
