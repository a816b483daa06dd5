// The column of channels, direct messages and the app.

import { h, icon } from "./dom.js";
import { avatar } from "./messages.js";

function row(pane, { id, name, lead, unread, badge, current, testid }) {
  return h("button", {
    type: "button", class: `side-row${current ? " current" : ""}${unread ? " unread" : ""}`, testid, "data-key": `side|${id}`,
    "aria-current": current ? "page" : null, onclick: () => pane.go(id),
  }, lead, h("span", { class: "side-name" }, name), badge ? h("span", { class: "side-badge", "aria-label": `${badge} new` }, String(badge)) : null);
}

function group(title, rows) {
  return rows.length ? h("div", { class: "side-group" }, h("h3", {}, title), rows) : null;
}

export function drawSidebar(pane) {
  const { directory, conversations } = pane;
  const channels = conversations.filter((each) => each.kind !== "im").sort((one, other) => one.name.localeCompare(other.name));
  const directs = conversations.filter((each) => each.kind === "im");
  const rows = (list) => list.map((each) => {
    const fresh = pane.unreadIn(each);
    const isIm = each.kind === "im";
    const isPrivate = each.is_private || directory.channel(each.id)?.is_private;
    return row(pane, {
      id: each.id,
      name: each.name,
      lead: isIm ? avatar(directory.app.bot_user, directory, true) : icon(isPrivate ? "lock" : "hash"),
      unread: fresh.count > 0,
      badge: isIm ? fresh.count : fresh.mentions,
      current: pane.place === each.id,
      testid: `conversation-${isIm ? each.id : each.name}`,
    });
  });
  const home = row(pane, { id: "home", name: directory.app.name, lead: avatar(directory.app.bot_user, directory, true), current: pane.place === "home", testid: "conversation-home" });
  const mail = h("a", { class: "side-row", href: "/mail", testid: "mail" }, icon("hash"), h("span", { class: "side-name" }, "Mail to customers"));
  return [group("Channels", rows(channels)), group("Direct messages", rows(directs)), group("Apps", [home, mail])].filter(Boolean);
}
