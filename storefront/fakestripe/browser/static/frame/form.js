// Form: the payment methods offered in this frame, their fields, and what they send to the API.

import { checkCvc, checkExpiry, checkNumber, formatCvc, formatExpiry, formatNumber, parseExpiry, digitsOf, brandOf } from "./card.js";
import { checkAccount, checkEmail, checkIban, checkName, checkRouting, compactIban, formatAccount, formatIban, formatRouting } from "./bank.js";
import { Field } from "./field.js";

const element = (id) => document.getElementById(id);

const cvc = new Field("cvc", {
  format: (text) => formatCvc(text, number.value),
  check: (text) => checkCvc(text, number.value),
});
const expiry = new Field("expiry", { format: formatExpiry, check: checkExpiry, next: cvc });
const number = new Field("number", { format: formatNumber, check: checkNumber, next: expiry });
const iban = new Field("iban", { format: formatIban, check: checkIban });
const routing = new Field("routing", { format: formatRouting, check: checkRouting });
const account = new Field("account", { format: formatAccount, check: checkAccount });
const name = new Field("name", { check: checkName });
const email = new Field("email", { check: checkEmail });
const country = element("country");

const METHODS = {
  card: { currency: null, fields: [number, expiry, cvc], params: cardParams },
  sepa_debit: { currency: "eur", fields: [name, email, iban], params: sepaParams },
  us_bank_account: { currency: "usd", fields: [name, email, routing, account], params: usParams },
};

function cardParams() {
  const { month, year } = parseExpiry(expiry.value);
  const address = country.closest(".Field").hidden ? undefined : { country: country.value };
  return {
    type: "card",
    card: { number: digitsOf(number.value), exp_month: month, exp_year: year, cvc: cvc.value },
    billing_details: { address },
  };
}

function sepaParams() {
  return {
    type: "sepa_debit",
    sepa_debit: { iban: compactIban(iban.value) },
    billing_details: owner(),
  };
}

function usParams() {
  return {
    type: "us_bank_account",
    us_bank_account: {
      routing_number: routing.value,
      account_number: account.value,
      account_holder_type: "individual",
      account_type: element("us-type").value,
    },
    billing_details: owner(),
  };
}

function owner() {
  return {
    name: name.shown ? name.value.trim() : undefined,
    email: email.shown ? email.value.trim() : undefined,
  };
}

// Bank debits ask for the same two details: their fields move into the panel that is open.
function lendOwnerTo(panel) {
  panel.prepend(name.input.closest(".Field"), email.input.closest(".Field"));
}

// The methods to offer, as Stripe filters them: by the intent or the options, and by currency.
export function offeredMethods(group, intent) {
  const allowed = intent?.payment_method_types ?? group.allowedPaymentMethodTypes ?? group.paymentMethodTypes;
  const excluded = group.excludedPaymentMethodTypes ?? [];
  const currency = (intent?.currency ?? group.currency)?.toLowerCase();
  return Object.keys(METHODS).filter((method) => {
    const wanted = METHODS[method].currency;
    return (!allowed || allowed.includes(method)) && !excluded.includes(method) && (!wanted || !currency || wanted === currency);
  });
}

export function showMethods(names, { type, defaultCollapsed }) {
  const group = element("methods");
  group.dataset.layout = type;
  group.dataset.count = String(names.length);
  group.style.setProperty("--tabs", String(names.length));
  for (const block of group.querySelectorAll(".Method")) {
    block.hidden = !names.includes(block.dataset.method);
  }
  const current = selectedMethod();
  const collapsed = defaultCollapsed && type === "accordion" && names.length > 1;
  if (!names.includes(current)) select(collapsed ? null : names[0]);
}

export function selectedMethod() {
  return element("methods").querySelector("input[name=method]:checked")?.value ?? null;
}

// Selects one method, or none (collapsed).
export function select(method) {
  for (const block of element("methods").querySelectorAll(".Method")) {
    const chosen = block.dataset.method === method;
    if (chosen && METHODS[method].fields.includes(name)) lendOwnerTo(block.querySelector(".Panel"));
    block.querySelector("input[name=method]").checked = chosen;
    block.querySelector(".Tab").classList.toggle("Tab--selected", chosen);
    block.querySelector(".Panel").hidden = !chosen;
  }
}

// null, or the first problem in reading order; every problem is shown and the first is focused.
export function validate() {
  const method = selectedMethod();
  if (!method) {
    return { code: "incomplete_payment_method", message: "Please select a payment method." };
  }
  const { fields } = METHODS[method];
  for (const field of fields) field.show(field.problem);
  const first = fields.find((field) => field.problem);
  first?.input.focus();
  return first ? first.problem : null;
}

export function state() {
  const method = selectedMethod();
  const fields = METHODS[method]?.fields ?? [];
  return {
    complete: Boolean(method) && fields.every((field) => !field.problem),
    empty: fields.every((field) => !field.shown || !field.value),
    collapsed: !method,
    value: { type: method ?? "" },
  };
}

export function methodParams() {
  return METHODS[selectedMethod()].params();
}

export function clear() {
  for (const { fields } of Object.values(METHODS)) for (const field of fields) field.set("");
  showBrand();
}

export function focusFirst() {
  const first = METHODS[selectedMethod()]?.fields.find((field) => field.shown);
  (first?.input ?? element("methods").querySelector("input[name=method]")).focus();
}

export function fillCard(digits) {
  select("card");
  number.set(digits);
  expiry.set("12 / 34");
  cvc.set(brandOf(digits).cvc === 4 ? "1234" : "123");
  showBrand();
}

// Prefills what the page knows, hides what the page promises to send itself (fields: "never").
export function applyDefaults({ defaultValues = {}, fields = {} }) {
  const details = defaultValues.billingDetails ?? {};
  if (!name.value && details.name) name.set(details.name);
  if (!email.value && details.email) email.set(details.email);
  const known = [...country.options].map((option) => option.value);
  if (known.includes(details.address?.country)) country.value = details.address.country;
  const never = (detail) => fields.billingDetails === "never" || fields.billingDetails?.[detail] === "never";
  name.input.closest(".Field").hidden = never("name");
  email.input.closest(".Field").hidden = never("email");
  country.closest(".Field").hidden = never("address") || fields.billingDetails?.address?.country === "never";
}

export function showBrand() {
  const { name: brand, cvc: length } = brandOf(number.value);
  element("brands").dataset.brand = brand;
  cvc.input.placeholder = length === 4 ? "CVC (4 digits)" : "CVC";
}
