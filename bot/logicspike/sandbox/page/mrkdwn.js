// Slack's mrkdwn to DOM nodes. Everything ends up in text nodes or in links with a checked scheme.

import { el } from "./dom.js";
import { dateToken } from "./time.js";

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", warning: "⚠️", x: "❌", tada: "🎉", wave: "👋", hourglass: "⌛", lock: "🔒",
  calendar: "📅", link: "🔗", rocket: "🚀", bulb: "💡", bell: "🔔", thinking_face: "🤔", eyes: "👀", clock1: "🕐", information_source: "ℹ️",
};
const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const INLINE = /```([\s\S]+?)```|`([^`\n]+)`|<([^<>\n]+)>|(?<![\w*])\*(?!\s)([^*\n]+?)(?<!\s)\*(?![\w*])|(?<![\w_])_(?!\s)([^_\n]+?)(?<!\s)_(?![\w_])|(?<![\w~])~(?!\s)([^~\n]+?)(?<!\s)~(?![\w~])|:([a-z0-9_]+):/g;

/** Nodes for a text object: plain text as it is, mrkdwn rendered. */
export function textNodes(object, context) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text, context) : plain(object.text);
}

/** Nodes for plain text: line breaks kept, the few known emoji shown. */
export function plain(text) {
  return lines(text.replace(/:([a-z0-9_]+):/g, (whole, name) => EMOJI[name] ?? whole));
}

/** Nodes for mrkdwn, quotes and code blocks included. */
export function mrkdwn(text, context) {
  const nodes = [];
  for (const part of text.split(/(```[\s\S]+?```)/)) {
    if (part.startsWith("```") && part.length > 6) nodes.push(el("pre", {}, unescape(part.slice(3, -3).replace(/^\n/, ""))));
    else if (part) nodes.push(...quoted(part, context));
  }
  return nodes;
}

function quoted(text, context) {
  const nodes = [];
  let quote = null;
  const rows = text.split("\n");
  rows.forEach((row, index) => {
    const match = /^(?:&gt;|>) ?(.*)$/.exec(row);
    if (match) {
      if (!quote) nodes.push((quote = el("blockquote")));
      else quote.append(el("br"));
      quote.append(...inline(match[1], context));
      return;
    }
    if (index > 0 && !quote) nodes.push(el("br"));
    quote = null;
    nodes.push(...inline(row, context));
  });
  return nodes;
}

function inline(text, context) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(...lines(unescape(text.slice(end, match.index))), ...oneToken(match, context));
    end = match.index + match[0].length;
  }
  return [...nodes, ...lines(unescape(text.slice(end)))];
}

function oneToken(match, context) {
  const [whole, block, code, token, bold, italic, strike, emoji] = match;
  if (block) return [el("pre", {}, unescape(block))];
  if (code) return [el("code", {}, unescape(code))];
  if (token) return [angle(token, context)];
  if (bold) return [el("strong", {}, ...inline(bold, context))];
  if (italic) return [el("em", {}, ...inline(italic, context))];
  if (strike) return [el("s", {}, ...inline(strike, context))];
  return [EMOJI[emoji] ?? whole];
}

function angle(token, context) {
  const bar = token.indexOf("|");
  const [target, label] = bar < 0 ? [token, ""] : [token.slice(0, bar), unescape(token.slice(bar + 1))];
  if (target.startsWith("@")) {
    const member = context.members.get(target.slice(1));
    return el("span", { class: target.slice(1) === context.me ? "mention me" : "mention" }, `@${member?.name ?? (label || target.slice(1))}`);
  }
  if (target.startsWith("#")) {
    const found = context.conversations.find((one) => one.id === target.slice(1));
    return el("span", { class: "mention" }, `#${found?.name ?? (label || target.slice(1))}`);
  }
  if (target.startsWith("!date^")) return date(target, label, context);
  if (target.startsWith("!")) return el("span", { class: "mention" }, `@${label || target.slice(1)}`);
  return link(unescape(target), label);
}

function date(target, fallback, context) {
  const [, seconds, format, url] = target.split("^");
  const text = dateToken(Number(seconds), unescape(format), fallback, context.zone, context.now());
  const node = el("time", { datetime: new Date(Number(seconds) * 1000).toISOString(), title: fallback }, text);
  return url ? link(unescape(url), text) : node;
}

/** A link that opens in a new tab, or its text when the address is none the page would open. */
export function link(address, label) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return document.createTextNode(label || address);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label || address);
}

function lines(text) {
  return text.split("\n").flatMap((row, index) => (index ? [el("br"), row] : [row])).filter((node) => node !== "");
}
