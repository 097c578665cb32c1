// Dialogs: the question a button may ask first, and a note at the edge of the page.

import { el } from "./dom.js";
import { textNodes } from "./mrkdwn.js";

/** Ask what a `confirm` object says; true at once when there is none. */
export function confirmed(spec, context) {
  if (!spec) return Promise.resolve(true);
  return new Promise((resolve) => {
    const ok = el("button", { class: `button ${spec.style === "danger" ? "danger solid" : "primary"}`, value: "ok", testid: "confirm-ok" }, spec.confirm.text);
    const deny = el("button", { class: "button", value: "", testid: "confirm-deny" }, spec.deny.text);
    const dialog = el("dialog", { class: "dialog small", "aria-label": spec.title.text },
      el("form", { method: "dialog" }, el("h2", {}, spec.title.text), el("p", {}, textNodes(spec.text, context)), el("footer", {}, deny, ok)));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "ok");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

let hiding;

/** Show a sentence at the edge of the page for some seconds. */
export function toast(text) {
  const node = document.getElementById("toast");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (node.hidden = true), 6_000);
}
