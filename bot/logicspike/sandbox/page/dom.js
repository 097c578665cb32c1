// Building DOM by hand: text always becomes text nodes, so nothing a bot or a person writes is ever read as markup.

/** An element with properties, attributes and children; false, null and undefined children are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "testid") node.dataset.testid = value;
    else if (name in node && name !== "list" && name !== "form" && typeof value !== "string") node[name] = value;
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== false && child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** A small stroked icon from one path of a 16 × 16 box. */
export function icon(path, name = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon ${name}`);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Replace all children. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child));
}

/** A rounded square with initials in the member's colour. */
export function avatar(member, bot) {
  if (member.id === bot) return el("img", { class: "avatar", src: "/page/mark.svg", alt: "" });
  const initials = member.real_name.split(" ").map((word) => word[0]).join("").slice(0, 2);
  const node = el("span", { class: "avatar", "aria-hidden": "true" }, initials);
  node.style.setProperty("--hue", member.hue);
  return node;
}
