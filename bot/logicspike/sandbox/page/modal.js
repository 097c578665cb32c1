// The modal on top: opened, changed and closed by the bot; what was typed survives a change.

import { post } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { toast } from "./dialogs.js";
import { el, fill } from "./dom.js";
import { answerOf, filesOf } from "./elements.js";

let dialog = null;
let shown = null;
let fields = [];
let isClosing = false;

/** Show this view, or none. */
export function showView(view, context) {
  if (!view) return hide();
  const isSame = shown?.id === view.id;
  if (isSame && shown.revision === view.revision) return undefined;
  const before = isSame ? shown : null;
  shown = view;
  if (!dialog) open(context);
  if (before?.hash !== view.hash) {
    const host = hostOf(view, context, before ? readValues() : {});
    if (before && isSameForm(before, view)) redrawChanged(before, view, host);
    else draw(view, context, host);
  }
  showProblems(view);
  return undefined;
}

function open(context) {
  dialog = el("dialog", { class: "dialog modal", testid: "modal", "aria-labelledby": "modal-title" });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close(context);
  });
  document.body.append(dialog);
  dialog.showModal();
}

function hide() {
  dialog?.close();
  dialog?.remove();
  dialog = shown = null;
  fields = [];
}

function hostOf(view, context, typed) {
  return {
    context,
    values: merged(view.values, typed),
    act: (spec, block, value) => send("action", { as: context.me, view_id: view.id, action_id: spec.action_id, block_id: block.block_id, value, answers: answers() }),
    track: (node, spec, block) => answerOf(node) !== undefined && fields.push({ node, spec, block }),
  };
}

/** Whether two versions differ in blocks at most, and each has its place in both. */
function isSameForm(before, view) {
  const frame = ({ title, submit, close, blocks }) => JSON.stringify([title, submit, close, blocks.map((block) => block.block_id)]);
  return frame(before) === frame(view);
}

/** Replace the blocks that changed: whoever types or clicks in another one is not disturbed. */
function redrawChanged(before, view, host) {
  const nodes = [...dialog.querySelector(".modal-body").children];
  view.blocks.forEach((block, index) => {
    if (JSON.stringify(block) === JSON.stringify(before.blocks[index])) return;
    fields = fields.filter((field) => field.block.block_id !== block.block_id);
    nodes[index].replaceWith(...renderBlocks([block], host));
  });
}

function draw(view, context, host) {
  fields = [];
  const submit = view.submit && el("button", { class: "button primary", testid: "modal-submit" }, view.submit.text);
  const cancel = el("button", { class: "button", type: "button", testid: "modal-close", onclick: () => close(context) }, view.close?.text ?? (view.depth > 1 ? "Back" : "Cancel"));
  const form = el("form", { novalidate: true, onsubmit: (event) => submitted(event, context) },
    el("header", {}, el("h2", { id: "modal-title", testid: "modal-title" }, view.title.text), el("span", { class: "by" }, "LogicSpike")),
    el("p", { class: "trouble", testid: "modal-trouble", role: "alert", hidden: true }),
    el("div", { class: "modal-body" }, renderBlocks(view.blocks, host)),
    el("footer", {}, cancel, submit));
  const focused = document.activeElement?.id;
  fill(dialog, form);
  const target = (focused && document.getElementById(focused)) || form.querySelector("[autofocus], .modal-body input, .modal-body textarea, .modal-body select, .modal-body button") || submit || cancel;
  target.focus();
}

function showProblems(view) {
  const trouble = dialog.querySelector(".trouble");
  trouble.textContent = view.trouble;
  trouble.hidden = !view.trouble;
  let first = null;
  for (const field of dialog.querySelectorAll(".field")) {
    const problem = view.errors[field.dataset.block] ?? "";
    const error = field.querySelector(".error");
    error.textContent = problem;
    error.hidden = !problem;
    field.classList.toggle("wrong", Boolean(problem));
    const control = field.querySelector("input, textarea, select");
    control?.setAttribute("aria-invalid", String(Boolean(problem)));
    if (problem) first ??= control;
  }
  first?.focus();
}

async function submitted(event, context) {
  event.preventDefault();
  const button = event.submitter ?? dialog.querySelector("[data-testid=modal-submit]");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  await send("submit", { as: context.me, view_id: shown.id, answers: answers() });
  button.removeAttribute("aria-busy");
}

async function close(context) {
  if (isClosing) return;
  isClosing = true;
  await send("close", { as: context.me });
  isClosing = false;
}

const send = (path, body) => post(path, body).catch((problem) => toast(problem.message));

/** Answers as the server takes them: input blocks by block_id, other elements by action_id. */
const answers = () => Object.fromEntries(fields.map(({ node, spec, block }) => [block.type === "input" ? block.block_id : spec.action_id, answerOf(node)]));

function readValues() {
  const values = {};
  for (const { node, spec, block } of fields) {
    const answer = answerOf(node);
    const files = filesOf(node);
    const entry = files ? { files } : Array.isArray(answer) ? { selected_options: answer.map((value) => ({ value })) } : { value: answer };
    (values[block.block_id] ??= {})[spec.action_id] = entry;
  }
  return values;
}

function merged(known, typed) {
  const values = structuredClone(known);
  for (const [block, entries] of Object.entries(typed)) values[block] = { ...values[block], ...entries };
  return values;
}
