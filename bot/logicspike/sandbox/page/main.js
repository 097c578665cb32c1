// The page: who looks at which conversation, and everything that changes.

import { follow, post } from "./api.js";
import { focusComposer, setComposer, startComposer } from "./composer.js";
import { toast } from "./dialogs.js";
import { showAll, showChanged, showDays } from "./messages.js";
import { showView } from "./modal.js";
import { showClock, showPlatforms, startClock } from "./panel.js";
import { showRail } from "./rail.js";

const context = { me: "", bot: "", slack: "", channel: "", zone: "UTC", members: new Map(), conversations: [], commands: [], shortcuts: [], now: () => Date.now() / 1000 };
const FIRST_MEMBER = "U0ANA";
const HUES = [262, 24, 205, 168, 330];
let messages = new Map();
let unread = {};
let stop = () => {};
let wantsDirect = false;

const inChannel = (channel) => [...messages.values()].filter((one) => one.channel === channel).sort((a, b) => (a.ts < b.ts ? -1 : 1));

function lookAs(member, channel = "") {
  stop();
  showView(null, context);
  context.channel = channel;
  stop = follow(member, take, (isOnline, isOver) => {
    document.body.classList.toggle("offline", !isOnline);
    if (isOver && member !== FIRST_MEMBER) lookAs(FIRST_MEMBER);
  });
}

function take(update) {
  setNow(update.now);
  if (update.reset) enter(update);
  unread = update.unread;
  const changed = update.messages.filter((one) => one.channel === context.channel);
  for (const one of update.messages) {
    if (one.is_deleted) messages.delete(`${one.channel} ${one.ts}`);
    else messages.set(`${one.channel} ${one.ts}`, one);
  }
  const shown = inChannel(context.channel);
  if (update.reset || !showChanged(changed, shown, context)) showAll(shown, context);
  showView(update.view, context);
  showPlatforms(update.platforms);
  drawRail();
  markRead();
  document.body.dataset.ready = context.me;
}

function setNow(seconds) {
  const since = performance.now();
  context.now = () => seconds + (performance.now() - since) / 1000;
  if (context.me) showClock(context);
}

function enter(update) {
  messages = new Map();
  const { me, bot, slack, conversations, commands, shortcuts } = update;
  const members = new Map(update.members.map((one, index) => [one.id, { ...one, hue: HUES[index % HUES.length] }]));
  Object.assign(context, { me, bot, slack, conversations, commands, shortcuts, members, zone: members.get(me).tz });
  document.getElementById("team").textContent = update.team;
  const direct = conversations.find((one) => one.is_im);
  const wanted = conversations.find((one) => one.id === context.channel) ?? (wantsDirect ? direct : null) ?? conversations[0];
  startClock(update.can_advance_clock);
  choose(wanted.id, { isSilent: true });
}

function choose(channel, { isSilent = false } = {}) {
  context.channel = channel;
  const conversation = context.conversations.find((one) => one.id === channel);
  wantsDirect = conversation.is_im;
  const place = conversation.is_im ? conversation.name : `#${conversation.name}`;
  document.getElementById("channel-title").textContent = place;
  document.getElementById("channel-note").textContent = conversation.is_im ? `Direct messages, seen by ${context.members.get(context.me).name} only` : "Everyone at Acme";
  document.title = `${place} · LogicSpike sandbox`;
  history.replaceState(null, "", `#${context.me}/${channel}`);
  setComposer(context.commands, place);
  showClock(context);
  if (isSilent) return;
  showAll(inChannel(channel), context);
  drawRail();
  markRead();
  focusComposer();
}

function drawRail() {
  showRail(context, unread, { choose, lookAs: (member) => member !== context.me && lookAs(member) });
}

function markRead() {
  if (document.hidden || !unread[context.me]?.[context.channel]) return;
  post("read", { as: context.me, channel: context.channel }).catch(() => {});
}

startComposer((text) => {
  const isDirect = context.conversations.find((one) => one.id === context.channel)?.is_im;
  if (isDirect && !text.startsWith("/")) toast("LogicSpike answers commands only. Type / to see them.");
  post("send", { as: context.me, channel: context.channel, text }).catch((problem) => toast(problem.message));
});
document.addEventListener("visibilitychange", markRead);
setInterval(() => context.me && (showClock(context), showDays(context)), 250);
const [member, channel] = location.hash.slice(1).split("/");
lookAs(member || FIRST_MEMBER, channel);
