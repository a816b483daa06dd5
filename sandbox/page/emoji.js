// The emoji that business messages use; an unknown name stays as it was typed.

import { h, svg } from "./dom.js";

export const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌", negative_squared_cross_mark: "❎",
  warning: "⚠️", rotating_light: "🚨", no_entry: "⛔", no_entry_sign: "🚫", exclamation: "❗", question: "❓",
  information_source: "ℹ️", bulb: "💡", bell: "🔔", mag: "🔍", lock: "🔒", unlock: "🔓", key: "🔑",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", alarm_clock: "⏰", stopwatch: "⏱️", calendar: "📅", date: "📅",
  moneybag: "💰", money_with_wings: "💸", dollar: "💵", credit_card: "💳", bank: "🏦", receipt: "🧾", coin: "🪙",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", memo: "📝", pencil: "✏️", pencil2: "✏️",
  page_facing_up: "📄", paperclip: "📎", file_folder: "📁", open_file_folder: "📂", clipboard: "📋", email: "✉️", envelope: "✉️",
  phone: "☎️", telephone_receiver: "📞", speech_balloon: "💬", link: "🔗", gear: "⚙️", wrench: "🔧", recycle: "♻️",
  arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️", leftwards_arrow_with_hook: "↩️", repeat: "🔁",
  red_circle: "🔴", large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵", white_circle: "⚪",
  large_orange_circle: "🟠", black_circle: "⚫", star: "⭐", sparkles: "✨", tada: "🎉", rocket: "🚀", fire: "🔥", eyes: "👀",
  thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", wave: "👋", pray: "🙏", raised_hands: "🙌", clap: "👏",
  smile: "😄", slightly_smiling_face: "🙂", thinking_face: "🤔", heart: "❤️", robot_face: "🤖", wastebasket: "🗑️", pushpin: "📌",
  office: "🏢", handshake: "🤝", package: "📦", truck: "🚚", scales: "⚖️", shield: "🛡️", new: "🆕", ok: "🆗", zzz: "💤",
};

const CIRCLE = "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z";
const SQUARE = "M6 3h12a3 3 0 0 1 3 3v12a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3V6a3 3 0 0 1 3-3z";

/** Drawings for machines without a colour emoji font: colour, filled shape, and a line over it. */
const DRAWN = {
  white_check_mark: ["#2c9e5b", SQUARE, "M7.5 12.5l3 3 6-7"], heavy_check_mark: ["#2c9e5b", "", "M5 13l5 5L20 6"],
  ballot_box_with_check: ["#3b7dd8", SQUARE, "M7.5 12.5l3 3 6-7"], x: ["#d8344f", "", "M5 5l14 14M19 5 5 19"],
  warning: ["#e0a11b", "M12 3 2 20.5h20z", "M12 9.5v5M12 17.4v.1"], exclamation: ["#d8344f", "", "M12 4v10M12 19v.1"],
  question: ["#d8344f", "", "M8.5 8.5a3.5 3.5 0 1 1 5 3.2c-1 .6-1.5 1.2-1.5 2.8M12 19v.1"],
  no_entry: ["#d8344f", CIRCLE, "M7 12h10"], no_entry_sign: ["#d8344f", "", `${CIRCLE}M6 6l12 12`], rotating_light: ["#d8344f", "M6 19v-6a6 6 0 0 1 12 0v6z", "M5 20h14"],
  information_source: ["#3b7dd8", SQUARE, "M12 11v6M12 7.4v.1"], red_circle: ["#d8344f", CIRCLE, ""], large_green_circle: ["#2c9e5b", CIRCLE, ""],
  large_yellow_circle: ["#e7c02c", CIRCLE, ""], large_orange_circle: ["#e88328", CIRCLE, ""], large_blue_circle: ["#3b7dd8", CIRCLE, ""],
  white_circle: ["#c9ccd1", CIRCLE, ""], black_circle: ["#3b3d42", CIRCLE, ""], bell: ["#e0a11b", "M5 18c2-2 2-4 2-7a5 5 0 0 1 10 0c0 3 0 5 2 7z", "M10.5 20.5h3"],
  hourglass: ["#b0762c", "", "M7 3h10M7 21h10M8 3c0 5 8 13 8 18M16 3c0 5-8 13-8 18"], hourglass_flowing_sand: ["#b0762c", "", "M7 3h10M7 21h10M8 3c0 5 8 13 8 18M16 3c0 5-8 13-8 18"],
  alarm_clock: ["#7a5bbf", "", `${CIRCLE}M12 7v5l3.5 2`], calendar: ["#3b7dd8", "", "M4 6h16v14H4zM4 10.5h16M8.5 3.5V7M15.5 3.5V7"], date: ["#3b7dd8", "", "M4 6h16v14H4zM4 10.5h16M8.5 3.5V7M15.5 3.5V7"],
  memo: ["#8a8d94", "", "M6 3.5h12v17H6zM9 8h6M9 12h6M9 16h3"], page_facing_up: ["#8a8d94", "", "M6 3.5h8l4 4v13H6zM13.5 3.5V8H18"], email: ["#8a8d94", "", "M3 6h18v12H3zM3 7l9 7 9-7"],
  lock: ["#c99a2e", "M5 11h14v9H5z", "M8 11V8a4 4 0 0 1 8 0v3"], mag: ["#3b7dd8", "", "M16 10.5a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0zM15 15l5 5"],
  moneybag: ["#2c9e5b", CIRCLE, "M14.8 9c-1-1.4-5-1.6-5 .6 0 2.6 5 1.6 5 4.4 0 2.4-4 2.4-5.2.6M12 6.5v11"], chart_with_upwards_trend: ["#2c9e5b", "", "M4 18l5-6 4 3 7-9M15 6h5v5"],
  chart_with_downwards_trend: ["#d8344f", "", "M4 6l5 6 4-3 7 9M15 18h5v-5"], bar_chart: ["#3b7dd8", "", "M6 20v-7M12 20V5M18 20v-10"], leftwards_arrow_with_hook: ["#3b7dd8", "", "M9 14l-5-5 5-5M4 9h11a5 5 0 0 1 0 10h-4"],
};

function hasColourEmoji() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 16;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) return false;
  pen.font = "14px sans-serif";
  pen.fillText("🔴", 0, 13);
  const { data } = pen.getImageData(0, 0, 16, 16);
  return data.some((level, index) => index % 4 === 0 && data[index + 3] > 100 && level - data[index + 1] > 60);
}

let inColour;

/** An emoji by its name; null where the name is not known. */
export function emojiFor(name) {
  const glyph = EMOJI[name];
  if (!glyph) return null;
  inColour ??= hasColourEmoji();
  const drawn = DRAWN[name];
  const label = { role: "img", "aria-label": name, title: `:${name}:` };
  if (inColour || !drawn) return h("span", { class: "emoji", ...label }, glyph);
  const [colour, shape, stroke] = drawn;
  return h("span", { class: "emoji", ...label }, svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" },
    shape ? svg("path", { d: shape, fill: colour }) : null,
    stroke ? svg("path", { d: stroke, fill: "none", stroke: shape ? "#fff" : colour, "stroke-width": "2.4", "stroke-linecap": "round", "stroke-linejoin": "round" }) : null));
}
