// Who and what exists in the workspace, and how moments are written for one reader.

export const SLACKBOT = { id: "USLACKBOT", name: "slackbot", real_name: "Slackbot" };

export class Directory {
  constructor(boot) {
    this.boot = boot;
    this.people = boot.people ?? [];
    this.channels = boot.channels ?? [];
    this.commands = [...(boot.commands ?? [])].sort((one, other) => one.command.localeCompare(other.command));
    this.shortcuts = boot.shortcuts ?? [];
    this.app = boot.app ?? { name: "App", bot_user: "" };
  }

  person(id) {
    if (id === SLACKBOT.id) return SLACKBOT;
    const known = this.people.find((person) => person.id === id);
    if (known) return known;
    return id === this.app.bot_user ? { id, name: this.app.name, real_name: this.app.name, bot: true } : null;
  }

  display(id) {
    const person = this.person(id);
    return person ? person.real_name || person.name : id;
  }

  channel(id) {
    return this.channels.find((channel) => channel.id === id) ?? null;
  }

  zone(user) {
    return this.person(user)?.tz || "UTC";
  }
}

const COLOURS = ["#2f6f6a", "#8a4b2d", "#3d5a98", "#7a3b6b", "#5b6b2f", "#a0522d", "#2d6187", "#6b4a8a"];

export function colourOf(id) {
  let sum = 0;
  for (const letter of String(id)) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return COLOURS[sum % COLOURS.length];
}

export function initials(name) {
  const words = String(name).trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0] ?? "?"];
  return letters.map((word) => [...word][0] ?? "").join("").toUpperCase();
}

const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
  return formats.get(key);
}

export function parts(seconds, zone) {
  const fields = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const found = {};
  for (const part of format(zone, fields).formatToParts(new Date(seconds * 1000))) found[part.type] = part.value;
  return found;
}

export function isoDay(seconds, zone) {
  const part = parts(seconds, zone);
  return `${part.year}-${part.month}-${part.day}`;
}

export function clock(seconds, zone) {
  const part = parts(seconds, zone);
  return `${part.hour}:${part.minute}`;
}

export function dayName(seconds, zone, now = Date.now() / 1000) {
  const day = isoDay(seconds, zone);
  if (day === isoDay(now, zone)) return "Today";
  if (day === isoDay(now - 86400, zone)) return "Yesterday";
  if (day === isoDay(now + 86400, zone)) return "Tomorrow";
  const sameYear = day.slice(0, 4) === isoDay(now, zone).slice(0, 4);
  return format(zone, { weekday: "long", day: "numeric", month: "long", ...(sameYear ? {} : { year: "numeric" }) }).format(seconds * 1000);
}

export function fullMoment(seconds, zone) {
  return format(zone, { dateStyle: "full", timeStyle: "medium" }).format(seconds * 1000);
}

function ago(seconds, now) {
  const gap = Math.round(Math.abs(now - seconds));
  const [size, unit] = gap < 60 ? [1, "second"] : gap < 3600 ? [60, "minute"] : gap < 86400 ? [3600, "hour"] : [86400, "day"];
  const count = Math.round(gap / size);
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds > now ? `in ${words}` : `${words} ago`;
}

/** Slack's date tokens, `{date_short_pretty} at {time}` and the others, in the reader's time zone. */
export function formatDate(seconds, pattern, zone, now = Date.now() / 1000) {
  const at = new Date(seconds * 1000);
  const write = (options) => format(zone, options).format(at);
  const pretty = (plain) => {
    const near = dayName(seconds, zone, now);
    return ["Today", "Yesterday", "Tomorrow"].includes(near) ? near.toLowerCase() : plain;
  };
  const long = write({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const short = write({ day: "numeric", month: "short", year: "numeric" });
  const full = write({ day: "numeric", month: "long", year: "numeric" });
  const tokens = {
    date: full,
    date_pretty: pretty(full),
    date_short: short,
    date_short_pretty: pretty(short),
    date_long: long,
    date_long_pretty: pretty(long),
    date_num: isoDay(seconds, zone),
    date_slash: isoDay(seconds, zone).replaceAll("-", "/"),
    day_divider_pretty: dayName(seconds, zone, now),
    time: clock(seconds, zone),
    time_secs: `${clock(seconds, zone)}:${parts(seconds, zone).second}`,
    ago: ago(seconds, now),
  };
  const text = pattern.replace(/\{(\w+)\}/g, (whole, name) => tokens[name] ?? whole);
  return pattern.startsWith("{") ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

/** The seconds since 1970 of a wall-clock time such as 2026-11-23T10:30 in a time zone. */
export function instantOf(wall, zone) {
  const [day, time] = wall.split("T");
  const asUtc = Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}Z`) / 1000;
  let guess = asUtc;
  for (let round = 0; round < 2; round += 1) {
    const part = parts(guess, zone);
    const shown = Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`) / 1000;
    guess += asUtc - shown;
  }
  return guess;
}

export function wallOf(seconds, zone) {
  const part = parts(seconds, zone);
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}
