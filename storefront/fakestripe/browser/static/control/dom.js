// DOM: building nodes, and bringing lists up to date without losing focus or what is open.

export const element = (id) => document.getElementById(id);

// h("p", {class: "hint"}, "text", node): attributes, then children; nullish children are left out.
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

// Shows items in a container. build(item) makes a node; an item that has not changed keeps its
// node, and one that has keeps being open. While somebody presses or fills in something in the
// container nothing changes under their hands: the next refresh will do it.
export function showList(container, items, build, keyOf, empty) {
  if (container.querySelector(":active, input:focus, select:focus")) return;
  const known = new Map([...container.children].map((node) => [node.dataset.key, node]));
  const nodes = items.map((item) => {
    const content = JSON.stringify(item);
    const old = known.get(keyOf(item));
    if (old?.content === content) return old;
    const node = build(item);
    node.dataset.key = keyOf(item);
    node.content = content;
    if (old?.open) node.open = true;
    return node;
  });
  const wanted = nodes.length ? nodes : [h(container.tagName === "UL" ? "li" : "p", {}, empty)];
  const same = wanted.length === container.children.length && wanted.every((node, place) => node === container.children[place]);
  if (same) return;
  const focused = document.activeElement;
  container.replaceChildren(...wanted);
  if (focused?.isConnected) focused.focus({ preventScroll: true });
}

export function badge(tone, text) {
  return h("span", { class: `badge ${tone}` }, text);
}

export function json(value, label) {
  return h("pre", { tabindex: "0", "aria-label": label }, h("code", {}, JSON.stringify(value, null, 2)));
}

// Unix seconds as local date and time: 2026-11-20 11:59:15
export function moment(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const date = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

// Seconds as people say them: 3 d 4 h, 5 min 2 s
export function duration(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  let rest = Math.round(seconds);
  const words = [];
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) words.push(`${count} ${unit}`);
  }
  return words.slice(0, 2).join(" ") || "0 s";
}

export function notify(text, bad = false) {
  const notice = element("notice");
  notice.textContent = text;
  notice.classList.toggle("bad", bad);
}

// Runs what a press asks for, disables its button meanwhile, and says how it ended.
export async function attempt(button, action) {
  button.disabled = true;
  try {
    notify((await action()) ?? "");
  } catch (failure) {
    notify(failure.message, true);
  } finally {
    button.disabled = false;
  }
}
