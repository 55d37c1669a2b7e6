// Objects: what the account holds, by type, newest first.

import { read } from "./api.js";
import { badge, element, h, json, moment, showList } from "./dom.js";

const SHOWN = 50;
const TONES = {
  succeeded: "good", enabled: "good", paid: "good", active: "good",
  processing: "wait", requires_action: "wait", pending: "wait",
  requires_payment_method: "none", canceled: "none", disabled: "bad", failed: "bad",
};

export async function showObjects(state) {
  offerTypes(state.objects ?? {});
  const type = element("objects-filter").elements.type.value;
  const { data } = await read("objects", { type, limit: SHOWN });
  showList(element("objects-list"), data, row, ({ id }) => id, "Nothing has been created yet.");
}

// counts: type -> how many
function offerTypes(counts) {
  const select = element("objects-filter").elements.type;
  const known = new Set([...select.options].map((option) => option.value));
  for (const type of Object.keys(counts).sort()) {
    if (!known.has(type)) select.append(h("option", { value: type }, type));
  }
  for (const option of select.options) {
    if (option.value) option.textContent = `${option.value} (${counts[option.value] ?? 0})`;
  }
}

function row(object) {
  return h("details", {},
    h("summary", {},
      h("span", { class: "name" }, title(object)),
      h("span", { class: "mono" }, object.id),
      object.status ? badge(TONES[object.status] ?? "none", object.status) : h("span"),
      h("span", { class: "when" }, moment(object.created)),
    ),
    h("div", { class: "detail" }, json(object, `${object.object} ${object.id}`)),
  );
}

function title(object) {
  if (object.object === "event") return `event · ${object.type}`;
  const what = object.object.replaceAll("_", " ");
  if (Number.isInteger(object.amount) && object.currency) return `${what} · ${money(object)}`;
  return object.email ? `${what} · ${object.email}` : what;
}

// Intl knows how many decimals a currency has: 1000 usd is $10.00, 1000 jpy is ¥1,000.
function money({ amount, currency }) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}
