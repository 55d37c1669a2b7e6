// Objects: what the account holds, by type, newest first.

import { read } from "./api.js";
import { badge, element, h, json, moment, showList } from "./dom.js";
import { money } from "./money.js";

const SHOWN = 50;
const PAGES = ["checkout.session", "billing_portal.session"];
const TONES = {
  succeeded: "good", enabled: "good", paid: "good", active: "good",
  processing: "wait", requires_action: "wait", pending: "wait",
  requires_payment_method: "none", canceled: "none", disabled: "bad", failed: "bad",
  complete: "good", trialing: "good", open: "wait", draft: "wait", incomplete: "wait", paused: "wait",
  won: "good", lost: "bad", warning_closed: "good", needs_response: "bad", under_review: "wait",
  warning_needs_response: "wait", warning_under_review: "wait",
  past_due: "bad", unpaid: "bad", uncollectible: "bad", expired: "none", incomplete_expired: "none", void: "none",
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
    h("div", { class: "detail" },
      pageOf(object) ? h("p", {}, h("a", { href: pageOf(object) }, "Open its page")) : null,
      json(object, `${object.object} ${object.id}`),
    ),
  );
}

// The page at which a customer would be: Checkout, the portal or a hosted invoice.
function pageOf(object) {
  const url = object.hosted_invoice_url ?? (PAGES.includes(object.object) ? object.url : null);
  return url && new URL(url).pathname + new URL(url).search;
}

function title(object) {
  if (object.object === "event") return `event · ${object.type}`;
  const what = object.object.replaceAll("_", " ").replace(".", " ");
  const detail = DETAILS.map((find) => find(object)).find(Boolean);
  return detail ? `${what} · ${detail}` : what;
}

// What tells objects of one type apart, by what they have.
const DETAILS = [
  (object) => object.currency && amountOf(object) !== undefined && money(amountOf(object), object.currency),
  ({ items }) => items?.data?.length && price(items.data[0].price),
  ({ code }) => code,
  ({ email }) => email,
  ({ name }) => name,
];

function amountOf(object) {
  return [object.amount, object.amount_total, object.total, object.unit_amount].find(Number.isInteger);
}

function price({ unit_amount: amount, currency, recurring }) {
  return `${money(amount, currency)}${recurring ? ` per ${recurring.interval}` : ""}`;
}
