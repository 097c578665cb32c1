// Block Kit's layout blocks to DOM nodes.

import { el } from "./dom.js";
import { answerOfEntry, renderElement } from "./elements.js";
import { textNodes } from "./mrkdwn.js";

/**
 * Render blocks.
 * host.context: who looks; host.act(spec, block, value): report a choice; host.values: state.values as known so far;
 * host.errors: complaints by block_id; host.track(node, spec, block): told of every element that holds an answer.
 */
export function renderBlocks(blocks, host) {
  return blocks.map((block) => RENDERERS[block.type]?.(block, host) ?? el("p", { class: "unknown" }, `(${block.type})`));
}

function element(spec, block, host, { isInput = false, id } = {}) {
  if (spec.type === "image") return picture(spec);
  const answer = answerOfEntry(host.values?.[block.block_id]?.[spec.action_id]);
  const act = isInput && !block.dispatch_action ? null : host.act;
  const node = renderElement(spec, block, { answer, act, context: host.context, id });
  host.track?.(node, spec, block);
  return node;
}

function section(block, host) {
  const node = el("div", { class: "section" });
  const body = el("div", { class: "section-body" });
  if (block.text) body.append(el("p", {}, textNodes(block.text, host.context)));
  if (block.fields) body.append(el("div", { class: "fields" }, block.fields.map((one) => el("p", {}, textNodes(one, host.context)))));
  node.append(body);
  if (block.accessory) node.append(el("div", { class: "accessory" }, element(block.accessory, block, host)));
  return node;
}

const header = (block, host) => el("h3", { class: "block-header" }, textNodes(block.text, host.context));
const divider = () => el("hr", { class: "divider" });
const actions = (block, host) => el("div", { class: "actions" }, block.elements.map((one) => element(one, block, host)));

function context(block, host) {
  const parts = block.elements.map((one) => (one.type === "image" ? picture(one) : el("span", {}, textNodes(one, host.context))));
  return el("div", { class: "context" }, parts);
}

function image(block, host) {
  const title = block.title && el("figcaption", {}, textNodes(block.title, host.context));
  return el("figure", { class: "image" }, title, picture(block));
}

function picture(spec) {
  const node = el("img", { src: spec.image_url, alt: spec.alt_text, title: spec.alt_text, loading: "lazy", referrerpolicy: "no-referrer" });
  // Pictures from elsewhere are not fetched in the sandbox; their description stands in.
  node.addEventListener("error", () => node.replaceWith(el("span", { class: "no-image" }, spec.alt_text)));
  return node;
}

function input(block, host) {
  const id = `field-${block.block_id}`;
  const isGroup = ["multi_static_select", "checkboxes", "radio_buttons"].includes(block.element.type);
  const label = [...textNodes(block.label, host.context), block.optional && el("span", { class: "optional" }, " (optional)")];
  const control = element(block.element, block, host, { isInput: true, id });
  const target = control.matches("input,select,textarea,.choices") ? control : control.querySelector("input");
  const hint = block.hint && el("p", { class: "hint", id: `${id}-hint` }, textNodes(block.hint, host.context));
  const error = el("p", { class: "error", id: `${id}-error`, testid: `error-${block.block_id}`, role: "alert", hidden: true });
  target.setAttribute("aria-describedby", [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" "));
  if (isGroup) target.setAttribute("aria-labelledby", `${id}-label`);
  const caption = isGroup ? el("span", { class: "label", id: `${id}-label` }, label) : el("label", { class: "label", for: id }, label);
  return el("div", { class: "field", "data-block": block.block_id }, caption, control, hint, error);
}

const RENDERERS = { section, header, divider, actions, context, image, input };
