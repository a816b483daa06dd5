// The page: the top bar, the tips, the panes side by side and the traffic drawer.

import { get } from "./api.js";
import { Directory } from "./directory.js";
import { h, icon, iconButton } from "./dom.js";
import { Pane, permalinkOf } from "./pane.js";
import { Traffic } from "./traffic.js";

const MOST_PANES = 3;

class App {
  constructor(boot) {
    this.directory = new Directory(boot);
    this.panes = [];
    this.traffic = new Traffic((open) => this.trafficButton.setAttribute("aria-pressed", String(open)));
    this.trafficButton = h("button", { type: "button", class: "bar-button", testid: "traffic-toggle", "aria-pressed": "false", onclick: () => this.traffic.toggle() }, icon("traffic"), "Traffic");
    this.counts = [1, 2, 3].map((count) => h("button", {
      type: "button", class: "bar-button", testid: `panes-${count}`, "aria-label": `${count} ${count === 1 ? "person" : "people"} side by side`, onclick: () => this.setCount(count),
    }, h("span", { class: "pane-sign", "aria-hidden": "true" }, Array.from({ length: count }, () => h("i")))));
    this.holder = h("div", { class: "panes" });
    this.node = h("div", { class: "app" },
      h("header", { class: "bar" }, h("span", { class: "workspace" }, icon("file"), h("b", {}, boot.team?.name ?? "Workspace")),
        h("span", { class: "bar-note" }, "A local workspace. Nothing leaves this machine."), h("span", { class: "grow" }),
        h("div", { class: "bar-group", role: "group", "aria-label": "People side by side" }, this.counts), this.trafficButton),
      this.tips(boot), this.holder, this.traffic.node);
  }

  tips(boot) {
    if (localStorage.getItem("tips") === "gone") return null;
    const given = boot.tips ?? this.directory.commands.slice(0, 4).map((each) => ({ text: each.description, command: each.command }));
    if (!given.length) return null;
    const strip = h("div", { class: "tips", role: "note", testid: "tips" }, h("b", {}, "Try first"), given.slice(0, 4).map((tip) => h("button", {
      type: "button", class: "tip", testid: "tip", onclick: () => this.fill(tip.command),
    }, h("code", {}, tip.command), tip.text ? h("span", {}, tip.text) : null)), h("span", { class: "grow" }), iconButton("close", "Hide the tips", () => {
      strip.remove();
      localStorage.setItem("tips", "gone");
    }));
    return strip;
  }

  fill(command) {
    const pane = this.last?.node.isConnected ? this.last : this.panes[0];
    if (pane.place === "home") {
      const first = pane.conversations.find((each) => each.kind !== "im");
      if (first) pane.go(first.id);
    }
    pane.composer.fill(command);
  }

  touched(pane) {
    this.last = pane;
  }

  /** The panes as the address keeps them: #U1/C1,U2/home */
  start() {
    const target = permalinkOf(location.hash) ?? permalinkOf(location.pathname);
    const named = target ? [] : location.hash.slice(1).split(",").map((part) => part.split("/"));
    const known = named.filter(([user]) => this.directory.people.some((person) => person.id === user)).slice(0, MOST_PANES);
    const wanted = known.length ? known : this.directory.people.slice(0, 2).map((person) => [person.id]);
    for (const pane of this.panes) pane.remove();
    this.panes = wanted.map(([user, place], index) => this.add(index, user, place));
    if (target) this.panes[0].wanted = target;
    this.draw();
  }

  add(index, user, place) {
    const pane = new Pane(this, index, user, place);
    this.holder.append(pane.node);
    return pane;
  }

  setCount(count) {
    while (this.panes.length > count) this.panes.pop().remove();
    while (this.panes.length < count) {
      const taken = this.panes.map((pane) => pane.user);
      const next = this.directory.people.find((person) => !taken.includes(person.id)) ?? this.directory.people[0];
      this.panes.push(this.add(this.panes.length, next.id, this.panes[0]?.place));
    }
    this.draw();
    this.remember();
  }

  draw() {
    this.holder.dataset.count = String(this.panes.length);
    this.counts.forEach((button, index) => button.setAttribute("aria-pressed", String(index + 1 === this.panes.length)));
  }

  remember() {
    const hash = `#${this.panes.map((pane) => [pane.user, pane.place].filter(Boolean).join("/")).join(",")}`;
    this.written = hash;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }
}

async function open() {
  const root = document.getElementById("app");
  const boot = await get("boot");
  if (!boot.ok) {
    root.replaceChildren(h("p", { class: "loading" }, "The workspace does not answer. Is it running? Trying again…"));
    setTimeout(open, 1500);
    return;
  }
  const app = new App(boot);
  document.title = `${boot.team?.name ?? "Workspace"} · local workspace`;
  root.replaceChildren(app.node);
  app.start();
  window.addEventListener("hashchange", () => {
    const target = permalinkOf(location.hash);
    if (target) (app.last ?? app.panes[0]).showMessage(target.channel, target.ts);
    else if (location.hash !== app.written) app.start();
  });
}

open();
