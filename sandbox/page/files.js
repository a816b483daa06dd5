// A file under a message: its name, a way to get it, and a look inside where that is easy.

import { h, icon } from "./dom.js";
import { sizeWords } from "./inputs.js";
import { csvTable } from "./tables.js";

const PREVIEWED_BYTES = 200_000;

/** The address on this workspace, whatever host the app wrote. */
function addressOf(file) {
  const given = file.url_private_download ?? file.url_private ?? `/files/${file.id}/${encodeURIComponent(file.name)}`;
  try {
    const url = new URL(given, location.origin);
    return url.pathname.startsWith("/files/") ? url.pathname + url.search : given;
  } catch {
    return "#";
  }
}

async function csvPreview(address, holder) {
  try {
    const response = await fetch(address);
    if (!response.ok) return;
    holder.replaceChildren(csvTable(await response.text()));
  } catch {
    holder.replaceChildren();
  }
}

export function fileNode(file) {
  const name = file.title && file.title !== file.name ? file.title : file.name;
  const kind = (file.name.split(".").pop() ?? "").toLowerCase();
  const address = addressOf(file);
  const card = h("div", { class: "file-card" }, h("span", { class: `file-icon kind-${kind}`, "aria-hidden": "true" }, kind.slice(0, 4).toUpperCase() || icon("file")),
    h("span", { class: "file-words" }, h("b", {}, name), h("small", {}, name === file.name ? "" : `${file.name} · `, sizeWords(file.size ?? 0))),
    h("a", { class: "icon-button", href: address, download: file.name, "aria-label": `Download ${file.name}`, title: "Download" }, icon("download")));
  const node = h("div", { class: "file", testid: "file" }, card);
  if (["png", "jpg", "jpeg", "gif", "webp"].includes(kind)) node.append(h("img", { src: address, alt: name, class: "file-image", loading: "lazy" }));
  if (kind === "csv" && (file.size ?? 0) < PREVIEWED_BYTES) {
    const holder = h("div", { class: "file-preview" });
    node.append(holder);
    csvPreview(address, holder);
  }
  return node;
}
