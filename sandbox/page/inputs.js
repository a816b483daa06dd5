// Elements that are typed into: text, numbers, moments, files.

import { upload } from "./api.js";
import { formatDate, instantOf, wallOf } from "./directory.js";
import { h, icon } from "./dom.js";
import { textOf } from "./mrkdwn.js";
import { richTextOf, richTextWords } from "./richtext.js";

function dispatches(element, how) {
  return (element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"]).includes(how);
}

function startOf(element, site, key, initial) {
  const kept = site.value?.[key];
  return kept !== undefined ? kept : element[initial] ?? null;
}

/** Tells of typing: each keystroke is kept, and the app hears of it as the element asks. */
function typed(control, element, site, read) {
  const value = () => read(control.value);
  control.addEventListener("input", () => site.commit(value(), "typing", dispatches(element, "on_character_entered")));
  control.addEventListener("keydown", (event) => {
    const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing && !event.ctrlKey && !event.metaKey;
    if (!sends || !site.dispatch || !dispatches(element, "on_enter_pressed")) return;
    if (control.tagName === "TEXTAREA" && element.type !== "plain_text_input") return;
    event.preventDefault();
    site.commit(value(), "enter", true);
  });
}

function control(tag, element, site, props) {
  return h(tag, {
    ...site.labels, class: "text-input", placeholder: textOf(element.placeholder) || null, "data-key": site.key,
    testid: `action-${element.action_id}`, autocomplete: "off", ...props,
  });
}

function counter(node, element) {
  const most = element.max_length;
  if (!most) return node;
  const left = h("span", { class: "counter", "aria-hidden": "true" });
  const draw = () => {
    const rest = most - [...node.value].length;
    left.textContent = String(rest);
    left.classList.toggle("over", rest < 0);
    left.hidden = rest > Math.max(20, most * 0.2);
  };
  node.addEventListener("input", draw);
  draw();
  return h("div", { class: "counted" }, node, left);
}

function plainTextInput(element, site) {
  const value = startOf(element, site, "value", "initial_value") ?? "";
  const node = element.multiline
    ? control("textarea", element, site, { rows: "4", value })
    : control("input", element, site, { type: "text", value });
  typed(node, element, site, (text) => ({ type: element.type, value: text === "" ? null : text }));
  return counter(node, element);
}

function lineInput(type, mode) {
  return (element, site) => {
    const value = startOf(element, site, "value", "initial_value") ?? "";
    const node = control("input", element, site, { type, inputmode: mode, value });
    typed(node, element, site, (text) => ({ type: element.type, value: text.trim() === "" ? null : text.trim() }));
    return node;
  };
}

function richTextInput(element, site) {
  const value = richTextWords(startOf(element, site, "rich_text_value", "initial_value")).replace(/\n+$/, "");
  const node = control("textarea", element, site, { rows: String(element.min_lines ?? 4), value });
  typed(node, element, site, (text) => ({ type: element.type, rich_text_value: text === "" ? null : richTextOf(text) }));
  return node;
}

/** A day in words, as the browser's own field may write it in either order. */
function inWords(type, value, zone) {
  if (!value || type === "time") return "";
  if (type === "date") return formatDate(Date.parse(`${value}T00:00Z`) / 1000, "{date_long}", "UTC");
  return `${formatDate(instantOf(value, zone), "{date_long} at {time}", zone)}, ${zone}`;
}

function moment(type, key, initial, { show = (value) => value, read = (value) => value } = {}) {
  return (element, site) => {
    const zone = element.timezone ?? site.ctx.zone;
    const start = startOf(element, site, key, initial);
    const node = control("input", element, site, {
      type, value: start === null ? "" : show(start, zone), class: "text-input moment",
      ...(site.labels["aria-labelledby"] || site.labels["aria-label"] ? {} : { "aria-label": textOf(element.placeholder) || "Select a date" }),
    });
    const words = h("span", { class: "muted small" }, inWords(type, node.value, zone));
    let last = node.value;
    node.addEventListener("change", () => {
      if (node.value === last) return;
      last = node.value;
      words.textContent = inWords(type, last, zone);
      site.commit({ type: element.type, [key]: node.value ? read(node.value, zone) : null }, "choice");
    });
    return h("div", { class: "moment-row" }, node, words);
  };
}

function sizeWords(bytes) {
  return bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function fileInput(element, site) {
  const most = element.max_files ?? 10;
  let files = site.value?.files ?? [];
  const list = h("ul", { class: "file-chips" });
  const problem = h("p", { class: "field-error", role: "alert" });
  const picker = control("input", element, site, {
    type: "file", class: "file-picker", multiple: most > 1, accept: element.filetypes?.map((name) => `.${name}`).join(",") || null,
  });
  const button = h("button", { type: "button", class: "button", onclick: () => picker.click() }, icon("file"), most > 1 ? "Add files" : "Add a file");
  const draw = () => {
    list.replaceChildren(...files.map((file) => h("li", { class: "chip" }, icon("file"), `${file.name} · ${sizeWords(file.size ?? 0)}`,
      h("button", { type: "button", class: "chip-remove", "aria-label": `Remove ${file.name}`, onclick: () => change(files.filter((one) => one !== file)) }, icon("close")))));
    button.disabled = files.length >= most;
  };
  const change = (next) => {
    files = next;
    draw();
    site.commit({ type: element.type, files }, "choice");
  };
  const take = async (given) => {
    problem.textContent = "";
    for (const file of [...given].slice(0, most - files.length)) {
      const kind = file.name.split(".").pop().toLowerCase();
      if (element.filetypes && !element.filetypes.includes(kind)) {
        problem.textContent = `${file.name} is not one of: ${element.filetypes.join(", ")}.`;
        continue;
      }
      button.setAttribute("aria-busy", "true");
      const answer = await upload(site.ctx.viewer, file);
      button.removeAttribute("aria-busy");
      if (answer.ok) change([...files, answer.file]);
      else problem.textContent = `${file.name} could not be uploaded: ${answer.error}`;
    }
  };
  picker.addEventListener("change", async () => {
    await take(picker.files);
    picker.value = "";
  });
  const box = h("div", { class: "file-input" }, button, h("span", { class: "muted small" }, "or drop here"), picker, list, problem);
  box.addEventListener("dragover", (event) => event.preventDefault());
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  draw();
  return box;
}

export const INPUTS = {
  plain_text_input: plainTextInput,
  number_input: lineInput("text", "decimal"),
  email_text_input: lineInput("email", "email"),
  url_text_input: lineInput("url", "url"),
  rich_text_input: richTextInput,
  datepicker: moment("date", "selected_date", "initial_date"),
  timepicker: moment("time", "selected_time", "initial_time"),
  datetimepicker: moment("datetime-local", "selected_date_time", "initial_date_time", { show: wallOf, read: instantOf }),
  file_input: fileInput,
};

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** What Slack's own client refuses before a form is sent; empty when the value will do. */
export function refusal(element, value, optional) {
  const given = Object.entries(value ?? {}).find(([name]) => name !== "type")?.[1];
  if (given === null || given === undefined || given === "" || given.length === 0) {
    return optional ? "" : "Please complete this required field.";
  }
  const text = String(given);
  const length = [...text].length;
  switch (element.type) {
    case "plain_text_input":
      if (length < (element.min_length ?? 0)) return `This entry must be at least ${element.min_length} characters.`;
      if (length > (element.max_length ?? 3000)) return `This entry can be at most ${element.max_length ?? 3000} characters.`;
      return "";
    case "number_input": {
      if (!/^-?(\d+(\.\d*)?|\.\d+)$/.test(text)) return "Please enter a number.";
      if (!element.is_decimal_allowed && text.includes(".")) return "Please enter a whole number.";
      if (element.min_value !== undefined && Number(text) < Number(element.min_value)) return `Please enter a number of at least ${element.min_value}.`;
      if (element.max_value !== undefined && Number(text) > Number(element.max_value)) return `Please enter a number of at most ${element.max_value}.`;
      return "";
    }
    case "email_text_input":
      return EMAIL.test(text) ? "" : "Please enter a valid email address.";
    case "url_text_input":
      return /^https?:\/\/\S+\.?\S+$/.test(text) ? "" : "Please enter a valid URL.";
    default:
      return "";
  }
}

export { sizeWords };
