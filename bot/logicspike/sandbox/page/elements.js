// Block Kit's interactive elements. Each is a node; `answerOf(node)` reads what a person chose or wrote in it.

import { upload } from "./api.js";
import { confirmed, toast } from "./dialogs.js";
import { el, icon } from "./dom.js";
import { plain, textNodes } from "./mrkdwn.js";
import { fromLocalField, toLocalField } from "./time.js";

const readers = new WeakMap();
const chosenFiles = new WeakMap();
const TYPING_MILLISECONDS = 120;
const OPEN_PATH = "M6 3.500H3.500v9h9V10M9 3h4v4M13 3 7.5 8.5";
const DOTS_PATH = "M3.5 8h.01M8 8h.01M12.5 8h.01";

/** What stands in an element now: a string, a list of values, seconds, or "" when nothing does. */
export const answerOf = (node) => readers.get(node)?.();

/** The files chosen in a file input, with their names; undefined for every other element. */
export const filesOf = (node) => chosenFiles.get(node);

/** What Slack's `state.values` entry says, as an answer. */
export function answerOfEntry(entry) {
  if (!entry) return undefined;
  if ("value" in entry) return entry.value ?? "";
  if ("selected_option" in entry) return entry.selected_option?.value ?? "";
  if ("selected_options" in entry) return entry.selected_options.map((option) => option.value);
  if ("files" in entry) return entry.files;
  return entry.selected_date_time ?? "";
}

/**
 * Render one element.
 * spec: the element as the bot sent it. block: the block around it. answer: what was typed before, or undefined.
 * act(value): report a choice, or null where choices are only read on submit. context: who looks, and when.
 */
export function renderElement(spec, block, { answer, act, context, id }) {
  const render = RENDERERS[spec.type];
  if (!render) return el("p", { class: "unknown" }, `(${spec.type})`);
  const report = act && (async (value) => (await confirmed(spec.confirm, context)) && act(spec, block, value));
  return render(spec, { answer, act: report, context, id: id ?? crypto.randomUUID() });
}

function button(spec, { act }) {
  const attributes = { class: `button ${spec.style ?? ""}`, testid: `button-${spec.action_id}`, "aria-label": spec.accessibility_label };
  const label = [...plain(spec.text.text)];
  if (spec.url && /^https?:\/\//i.test(spec.url)) {
    const anchor = el("a", { ...attributes, href: spec.url, target: "_blank", rel: "noopener", onclick: () => act(spec.value) }, label, icon(OPEN_PATH));
    return anchor;
  }
  const node = el("button", { ...attributes, type: "button" }, label);
  node.addEventListener("click", () => busy(node, () => act(spec.value ?? null)));
  return node;
}

async function busy(node, work) {
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    node.removeAttribute("aria-busy");
  }
}

function select(spec, { answer, act, id }) {
  const chosen = answer ?? spec.initial_option?.value ?? "";
  const groups = spec.option_groups?.map((group) => el("optgroup", { label: group.label.text }, group.options.map(optionNode)));
  const node = el("select", { class: "select", id, testid: `input-${spec.action_id}` },
    el("option", { value: "" }, spec.placeholder?.text ?? "Choose one"), groups ?? spec.options.map(optionNode));
  node.value = chosen;
  readers.set(node, () => node.value);
  if (act) node.addEventListener("change", () => node.value && act(node.value));
  return node;
}

const optionNode = (option) => el("option", { value: option.value }, option.text.text);

function choices(kind) {
  return (spec, { answer, act, context, id }) => {
    const isMany = kind === "checkbox";
    const initial = isMany ? (spec.initial_options ?? []).map((option) => option.value) : [spec.initial_option?.value];
    const chosen = new Set(answer === undefined ? initial : [answer].flat());
    const options = spec.options ?? spec.option_groups.flatMap((group) => group.options);
    const node = el("div", { class: "choices", role: isMany ? "group" : "radiogroup", id, testid: `input-${spec.action_id}` });
    for (const option of options) {
      const box = el("input", { type: kind, name: id, value: option.value, checked: chosen.has(option.value) });
      const about = option.description && el("small", {}, textNodes(option.description, context));
      node.append(el("label", { class: "choice" }, box, el("span", {}, textNodes(option.text, context), about)));
    }
    if (!options.length) node.append(el("p", { class: "unknown" }, "Nothing to choose from."));
    const read = () => [...node.querySelectorAll("input:checked")].map((box) => box.value);
    readers.set(node, () => (isMany ? read() : read()[0] ?? ""));
    if (act) node.addEventListener("change", () => act(isMany ? read() : read()[0]));
    return node;
  };
}

function textInput(spec, { answer, act, id }) {
  const shared = { id, testid: `input-${spec.action_id}`, maxlength: String(spec.max_length ?? 3000), placeholder: spec.placeholder?.text, autofocus: spec.focus_on_load };
  const node = spec.multiline ? el("textarea", { ...shared, rows: "4" }) : el("input", { ...shared, type: "text" });
  node.value = answer ?? spec.initial_value ?? "";
  readers.set(node, () => node.value);
  if (act && spec.dispatch_action_config?.trigger_actions_on?.includes("on_character_entered")) {
    let timer;
    node.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => node.isConnected && act(node.value), TYPING_MILLISECONDS);
    });
  }
  return node;
}

function dateTime(spec, { answer, act, context, id }) {
  const field = el("input", { type: "datetime-local", id, testid: `input-${spec.action_id}` });
  const seconds = answer ?? spec.initial_date_time;
  if (seconds) field.value = toLocalField(Number(seconds), context.zone);
  const node = el("div", { class: "date-time" }, field, el("span", { class: "zone" }, `your time, ${context.zone.replaceAll("_", " ")}`));
  const read = () => (field.value ? fromLocalField(field.value, context.zone) : "");
  readers.set(node, read);
  if (act) field.addEventListener("change", () => field.value && act(read()));
  return node;
}

function fileInput(spec, { answer, context, id }) {
  const files = (answer ?? []).map(({ id: fileId, name }) => ({ id: fileId, name }));
  const list = el("ul", { class: "files" });
  const chooser = el("input", {
    type: "file", id, multiple: (spec.max_files ?? 10) > 1, testid: `input-${spec.action_id}`,
    accept: (spec.filetypes ?? []).map((kind) => `.${kind}`).join(","),
  });
  const node = el("div", { class: "file-input" }, chooser, list);
  const show = () => {
    // The browser's own words name what its chooser holds, which is nothing once a file is uploaded.
    chooser.classList.toggle("chosen", files.length > 0);
    list.replaceChildren(...files.map((file) => el("li", {}, file.name, el("button", {
      type: "button", class: "remove", "aria-label": `Remove ${file.name}`,
      onclick: () => (files.splice(files.indexOf(file), 1), show()),
    }, "×"))));
  };
  chooser.addEventListener("change", async () => {
    const room = (spec.max_files ?? 10) - files.length;
    if (chooser.files.length > room) toast(`This field takes ${spec.max_files ?? 10} files.`);
    for (const file of [...chooser.files].slice(0, room)) {
      try {
        files.push(await upload(context.me, file));
        show();
      } catch (problem) {
        toast(problem.message);
      }
    }
    chooser.value = "";
  });
  show();
  chosenFiles.set(node, files);
  readers.set(node, () => files.map((file) => file.id));
  return node;
}

function overflow(spec, { act }) {
  const menu = el("div", { class: "menu", role: "menu" });
  const node = el("details", { class: "overflow", testid: `button-${spec.action_id}` }, el("summary", { class: "button", "aria-label": "More actions" }, icon(DOTS_PATH, "dots")), menu);
  for (const option of spec.options) {
    menu.append(el("button", { type: "button", role: "menuitem", onclick: () => ((node.open = false), act(option.value)) }, option.text.text));
  }
  closable(node);
  return node;
}

/** Let a details menu close on Escape and on a click elsewhere. */
export function closable(node) {
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !node.open) return;
    event.stopPropagation();
    node.open = false;
    node.querySelector("summary").focus();
  });
  node.addEventListener("focusout", (event) => {
    if (!node.contains(event.relatedTarget)) node.open = false;
  });
}

const RENDERERS = {
  button,
  static_select: select,
  multi_static_select: choices("checkbox"),
  checkboxes: choices("checkbox"),
  radio_buttons: choices("radio"),
  plain_text_input: textInput,
  file_input: fileInput,
  datetimepicker: dateTime,
  overflow,
};
