// The emoji that business messages use; an unknown name stays as it was typed.

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
