// The sandbox's panel: the clock, and each platform's timeline and faults.

import { post } from "./api.js";
import { toast } from "./dialogs.js";
import { el, fill, icon } from "./dom.js";
import { clockSeconds, fullDay } from "./time.js";

const clock = document.getElementById("clock");
const clockDate = document.getElementById("clock-date");
const buttons = document.getElementById("clock-buttons");
const cards = document.getElementById("platforms");
const STEPS = [[60, "+1 min"], [600, "+10 min"], [3_600, "+1 h"], [86_400, "+1 day"]];
const OPEN_PATH = "M6 3.500H3.500v9h9V10M9 3h4v4M13 3 7.5 8.5";
const SHOWN_FAULTS = 7;
const known = new Map();

/** Draw the clock's buttons once. */
export function startClock(canAdvance) {
  buttons.replaceChildren(...STEPS.map(([seconds, label]) => el("button", {
    type: "button", class: "button quiet", testid: `clock-advance-${seconds}`, onclick: () => send("clock", { seconds }),
  }, label)));
  buttons.hidden = !canAdvance;
}

/** Show the sandbox's time in the member's zone. */
export function showClock(context) {
  const now = context.now();
  clock.textContent = clockSeconds(now, context.zone);
  clock.dateTime = new Date(now * 1000).toISOString();
  clockDate.textContent = `${fullDay(now, context.zone)} · ${context.zone.replaceAll("_", " ")}`;
}

/** Show the platforms; a timeline's frame is loaded anew only when its version changed. */
export function showPlatforms(platforms) {
  for (const platform of platforms) {
    const card = known.get(platform.name) ?? make(platform);
    if (card.faults !== JSON.stringify(platform.faults)) drawFaults(card, platform);
    if (card.version !== platform.version) load(card, platform);
  }
  if (!platforms.length && !cards.childElementCount) cards.append(el("p", { class: "none" }, "No platforms are installed."));
}

function make(platform) {
  const frame = el("iframe", { title: `Timeline of ${platform.title}`, sandbox: "allow-popups", referrerpolicy: "no-referrer", tabindex: "-1" });
  const chips = el("div", { class: "faults", role: "group", "aria-label": `Faults of ${platform.title}` });
  const card = { frame, chips, faults: "", version: null, isOpen: false };
  cards.append(el("section", { class: "card platform", testid: `platform-${platform.name}`, "aria-label": platform.title },
    el("header", {}, el("h2", {}, platform.title),
      el("a", { href: platform.timeline_url, target: "_blank", rel: "noopener noreferrer", testid: `timeline-${platform.name}`, "aria-label": `Open the timeline of ${platform.title}` }, "Open timeline", icon(OPEN_PATH))),
    el("div", { class: "frames" }, frame),
    el("p", { class: "faults-title" }, "Make it fail"), chips));
  known.set(platform.name, card);
  return card;
}

function load(card, platform) {
  const isFirst = card.version === null;
  card.version = platform.version;
  if (isFirst) card.frame.src = platform.timeline_url;
  // Replacing, unlike a new src, leaves no entry behind for the Back button.
  else card.frame.contentWindow.location.replace(platform.timeline_url);
}

function drawFaults(card, platform) {
  const focused = document.activeElement?.dataset.testid;
  card.faults = JSON.stringify(platform.faults);
  const isFolded = !card.isOpen && platform.faults.length > SHOWN_FAULTS + 1;
  const shown = platform.faults.filter((fault, index) => !isFolded || index < SHOWN_FAULTS || fault.is_on);
  const more = isFolded && el("button", {
    type: "button", class: "chip more", testid: `faults-more-${platform.name}`, "aria-label": `Show all faults of ${platform.title}`,
    onclick: () => {
      card.isOpen = true;
      drawFaults(card, platform);
      card.chips.children[SHOWN_FAULTS]?.focus();
    },
  }, `+${platform.faults.length - shown.length} more`);
  fill(card.chips, shown.map((fault) => chip(platform, fault)), more);
  if (focused) card.chips.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
}

function chip(platform, fault) {
  const isSwitch = fault.kind === "switch";
  return el("button", {
    type: "button", class: `chip ${fault.kind}`, testid: `fault-${platform.name}-${fault.name}`, title: fault.label, "aria-label": fault.label,
    "aria-pressed": isSwitch ? String(fault.is_on) : null,
    onclick: async () => {
      await send("fault", { platform: platform.name, name: fault.name, on: isSwitch ? !fault.is_on : true });
      if (!isSwitch) toast(`${platform.title}: ${fault.label}. Done.`);
    },
  }, fault.name.replace(/[_-]/g, " "));
}

const send = (path, body) => post(path, body).catch((problem) => toast(problem.message));
