// The message list of one conversation, kept in step with what the server tells.

import { post } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { setLine } from "./composer.js";
import { toast } from "./dialogs.js";
import { avatar, el, icon } from "./dom.js";
import { closable } from "./elements.js";
import { mrkdwn } from "./mrkdwn.js";
import { clockSeconds, clockTime, dayKey, longDay } from "./time.js";

const list = document.getElementById("messages");
const scroller = document.getElementById("scroll");
const EYE_PATH = "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.200a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6";
const MENU_PATH = "M3.5 8h.01M8 8h.01M12.5 8h.01";
const GROUP_SECONDS = 300;

/** Show a conversation from its beginning. */
export function showAll(messages, context) {
  list.replaceChildren();
  let last = null;
  for (const message of messages) last = append(message, last, context);
  if (!messages.length) list.append(welcome(context));
  toBottom();
}

/** Take over new, changed and deleted messages; false when the list must be shown anew. */
export function showChanged(changed, all, context) {
  const isAtBottom = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
  for (const message of changed) {
    const node = list.querySelector(`[data-ts="${CSS.escape(message.ts)}"]`);
    if (message.is_deleted && !node) continue;
    if (message.is_deleted) return false;
    if (node) replace(node, message, context);
    else if (all.at(-1).ts >= message.ts && list.lastElementChild?.dataset.ts > message.ts) return false;
    else {
      list.querySelector(".welcome")?.remove();
      append(message, all[all.findIndex((one) => one.ts === message.ts) - 1] ?? null, context);
    }
  }
  if (isAtBottom) toBottom();
  return true;
}

function append(message, last, context) {
  const isNewDay = !last || dayKey(last.at, context.zone) !== dayKey(message.at, context.zone);
  if (isNewDay) list.append(el("li", { class: "day", role: "separator", "data-at": String(message.at) }, el("span", {}, dayName(message.at, context))));
  const isFollowing = !isNewDay && last.user === message.user && !last.is_ephemeral && !message.is_ephemeral && message.at - last.at < GROUP_SECONDS;
  list.append(render(message, context, isFollowing));
  return message;
}

function replace(node, message, context) {
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
  const fresh = render(message, context, node.classList.contains("follow"));
  node.replaceWith(fresh);
  if (focused) fresh.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
}

function render(message, context, isFollowing) {
  const author = context.members.get(message.user);
  const isApp = message.user === context.bot;
  const head = el("header", {},
    el("strong", {}, author.real_name),
    author.is_bot && el("span", { class: "app" }, "App"),
    el("time", { title: `${longDay(message.at, context.zone)}, ${clockSeconds(message.at, context.zone)}`, datetime: new Date(message.at * 1000).toISOString() }, clockTime(message.at, context.zone)));
  const host = { context, act: (spec, block, value) => act(message, spec, block, value, context) };
  const body = message.blocks.length ? renderBlocks(message.blocks, host) : [el("p", {}, mrkdwn(message.text, context))];
  const classes = ["message", message.is_ephemeral && "ephemeral", isFollowing && "follow", isApp && "from-app"].filter(Boolean).join(" ");
  return el("li", { class: classes, testid: "message", "data-ts": message.ts, "data-user": message.user, "data-ephemeral": String(message.is_ephemeral) },
    isFollowing ? el("time", { class: "gutter", "aria-hidden": "true" }, clockTime(message.at, context.zone)) : avatar(author, context.bot),
    el("div", { class: "content" },
      message.is_ephemeral && el("p", { class: "only-you" }, icon(EYE_PATH), "Only visible to you", message.via && el("span", { class: "via" }, " · ", el("code", {}, message.via))),
      !isFollowing && head,
      el("div", { class: "body" }, body),
      message.is_edited && !message.blocks.length && el("span", { class: "edited" }, "(edited)")),
    menu(message, context));
}

function menu(message, context) {
  const offers = context.shortcuts.filter((one) => one.is_message);
  if (!offers.length || message.is_ephemeral) return null;
  const node = el("details", { class: "overflow message-menu" }, el("summary", { class: "button", "aria-label": "Message actions" }, icon(MENU_PATH, "dots")));
  const choose = (offer) => {
    node.open = false;
    post("shortcut", { as: context.me, callback_id: offer.callback_id, channel: message.channel, ts: message.ts }).catch((problem) => toast(problem.message));
  };
  node.append(el("div", { class: "menu", role: "menu" }, offers.map((offer) => el("button", { type: "button", role: "menuitem", testid: `shortcut-${offer.callback_id}`, onclick: () => choose(offer) }, offer.name))));
  closable(node);
  return node;
}

async function act(message, spec, block, value, context) {
  const body = { as: context.me, channel: message.channel, ts: message.ts, action_id: spec.action_id, block_id: block.block_id, value };
  await post("action", body).catch((problem) => toast(problem.message));
}

function dayName(seconds, context) {
  const isToday = dayKey(seconds, context.zone) === dayKey(context.now(), context.zone);
  return isToday ? "Today" : longDay(seconds, context.zone);
}

/** Name the days anew: the sandbox's clock may have passed midnight. */
export function showDays(context) {
  for (const day of list.querySelectorAll(".day")) {
    const name = dayName(Number(day.dataset.at), context);
    if (day.textContent !== name) day.firstElementChild.textContent = name;
  }
}

function welcome(context) {
  const [connect, schedule] = context.commands.map((command) => command.examples[0] ?? command.name);
  const isIm = context.conversations.find((one) => one.id === context.channel)?.is_im;
  return el("li", { class: "welcome" },
    el("img", { src: "/page/mark.svg", alt: "", width: "44", height: "44" }),
    el("h3", {}, isIm ? "Your direct messages with LogicSpike" : "Welcome to the sandbox"),
    el("p", {}, isIm ? "Links and results that are only for you arrive here." : "The real bot, a small Slack, and stand-ins for the platforms, all on this computer."),
    el("ol", {},
      connect && el("li", {}, "Connect an account: ", offer(connect), `. Open the link that arrives ${isIm ? "here" : "under LogicSpike on the left"}, and press Allow.`),
      schedule && el("li", {}, "Schedule a post: ", offer(schedule), "."),
      el("li", {}, "Move the sandbox clock by a minute, and see the post appear on the platform's timeline.")),
    el("p", {}, "Then make a platform fail with the buttons below its timeline, and see what the bot does."));
}

function offer(line) {
  return el("button", { type: "button", class: "offer", testid: "offer", title: "Write this into the line below", onclick: () => setLine(line) }, el("code", {}, line));
}

function toBottom() {
  scroller.scrollTop = scroller.scrollHeight;
}
