// The rail at the left: conversations with what is unread, and whose eyes one looks through.

import { avatar, el, fill } from "./dom.js";
import { clockTime } from "./time.js";

const conversationList = document.getElementById("conversations");
const memberList = document.getElementById("members");
let drawn = "";

/** Draw the rail, when something in it changed. */
export function showRail(context, unread, actions) {
  const people = [...context.members.values()].filter((one) => !one.is_bot);
  const minute = people.map((one) => clockTime(context.now(), one.tz)).join();
  const key = JSON.stringify([context.me, context.channel, unread, minute]);
  if (key === drawn) return;
  drawn = key;
  const focused = document.activeElement?.dataset.testid;
  fill(conversationList, context.conversations.map((one) => conversation(one, context, unread[context.me]?.[one.id] ?? 0, actions)));
  fill(memberList, people.map((one) => member(one, context, total(unread[one.id]), actions)));
  if (focused) document.querySelector(`.rail [data-testid="${CSS.escape(focused)}"]`)?.focus();
}

const total = (counts) => Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
const badge = (count, testid) => count > 0 && el("span", { class: "badge", testid, "aria-label": `${count} unread` }, String(count));

function conversation(one, context, count, actions) {
  const isHere = one.id === context.channel;
  const sign = one.is_im ? el("img", { src: "/page/mark.svg", alt: "", width: "18", height: "18" }) : el("span", { class: "hash", "aria-hidden": "true" }, "#");
  return el("li", {}, el("button", {
    type: "button", class: `row ${isHere ? "here" : ""} ${count ? "unread" : ""}`, testid: `conversation-${one.id}`,
    "aria-current": isHere ? "page" : null, onclick: () => actions.choose(one.id),
  }, sign, el("span", { class: "name" }, one.name), one.is_im && el("span", { class: "app" }, "App"), badge(isHere ? 0 : count, `unread-${one.id}`)));
}

function member(one, context, count, actions) {
  const isMe = one.id === context.me;
  const about = `${clockTime(context.now(), one.tz)} · ${one.tz.split("/").at(-1).replaceAll("_", " ")}`;
  return el("button", {
    type: "button", role: "radio", "aria-checked": String(isMe), class: `row person ${isMe ? "here" : ""}`, testid: `member-${one.id}`,
    onclick: () => actions.lookAs(one.id), onkeydown: rove, tabindex: isMe ? "0" : "-1",
  }, avatar(one, context.bot), el("span", { class: "name" }, one.real_name, el("small", {}, about)), one.is_admin && el("span", { class: "app" }, "Admin"), badge(isMe ? 0 : count, `unread-${one.id}`));
}

function rove(event) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const rows = [...memberList.children];
  const next = rows[(rows.indexOf(event.currentTarget) + step + rows.length) % rows.length];
  next.focus();
  next.click();
}
