// The line at the bottom: plain messages, and slash commands with completion by keyboard.

import { el } from "./dom.js";

const form = document.getElementById("composer-form");
const field = document.getElementById("composer");
const list = document.getElementById("completion");
const hint = document.getElementById("composer-hint");
const usual = [...hint.childNodes];

let commands = [];
let offers = [];
let active = -1;
const history = [];
let recalled = 0;

/** Start the composer; `send(line)` gets what was typed. */
export function startComposer(send) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const line = field.value.trim();
    if (!line) return;
    history.push(line);
    recalled = history.length;
    write("");
    send(line);
  });
  field.addEventListener("input", refresh);
  field.addEventListener("keydown", onKey);
  field.addEventListener("blur", () => setTimeout(() => document.activeElement !== field && hide(), 120));
}

/** What the composer offers, and where its messages go. */
export function setComposer(known, place) {
  commands = known;
  field.placeholder = `Message ${place}, or type / for commands`;
}

/** Write something into the line, for the person to send. */
export function setLine(text) {
  write(text);
  hide();
  field.focus();
}

/** Put the cursor into the line. */
export const focusComposer = () => field.focus();

function write(text) {
  field.value = text;
  refresh();
}

function refresh() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 180)}px`;
  offers = offersFor(field.value);
  const isExact = commands.some((command) => command.name === field.value);
  active = offers.length && !field.value.includes(" ") && !isExact ? 0 : -1;
  draw();
  const command = commands.find((one) => field.value.startsWith(`${one.name} `) || field.value === one.name);
  hint.replaceChildren(...(command ? [el("code", {}, command.name), ` ${command.hint}`] : usual));
}

function offersFor(text) {
  if (!text.startsWith("/") || text.includes("\n")) return [];
  if (!text.includes(" ")) {
    return commands.filter((one) => one.name.startsWith(text)).map((one) => ({ insert: `${one.name} `, title: one.name, hint: one.hint, about: one.description }));
  }
  const examples = commands.flatMap((one) => one.examples).filter((one) => one.startsWith(text) && one !== text);
  return examples.map((one) => ({ insert: one, title: one, hint: "", about: "" }));
}

function draw() {
  list.hidden = !offers.length;
  field.setAttribute("aria-expanded", String(offers.length > 0));
  list.replaceChildren(...offers.map((offer, index) => el("li", {
    id: `offer-${index}`, role: "option", "aria-selected": String(index === active), class: index === active ? "active" : "",
    onmousedown: (event) => {
      event.preventDefault();
      accept(index);
    },
  }, el("code", {}, offer.title), offer.hint && el("span", { class: "usage" }, offer.hint), offer.about && el("small", {}, offer.about))));
  if (active >= 0) {
    field.setAttribute("aria-activedescendant", `offer-${active}`);
    list.children[active].scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

function accept(index) {
  write(offers[index].insert);
  field.focus();
}

function hide() {
  offers = [];
  active = -1;
  draw();
}

function onKey(event) {
  if (event.isComposing) return;
  const isOpen = offers.length > 0;
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (isOpen && move) active = (active + move + offers.length + (active < 0 && move < 0 ? 1 : 0)) % offers.length;
  else if (isOpen && event.key === "Tab" && !event.shiftKey) accept(Math.max(active, 0));
  else if (isOpen && event.key === "Enter" && active >= 0) accept(active);
  else if (isOpen && event.key === "Escape") hide();
  else if (event.key === "Enter" && !event.shiftKey) form.requestSubmit();
  else if (move && !field.value.includes("\n") && (field.value === "" || field.value === history[recalled]) && recall(move)) { /* shown */ }
  else return;
  event.preventDefault();
  if (isOpen && move) draw();
}

function recall(move) {
  const next = recalled + move;
  if (next < 0 || next > history.length) return false;
  recalled = next;
  write(history[recalled] ?? "");
  hide();
  return true;
}
