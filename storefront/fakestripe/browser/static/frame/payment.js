// Payment: the Payment Element's frame: it shows the form, checks it and talks to the API.

import { announce, answerWith } from "./channel.js";
import { confirmIntent, createMethod, retrieveIntent, useKey } from "./api.js";
import { applyAppearance } from "./appearance.js";
import * as form from "./form.js";
import { mismatch } from "./mismatch.js";
import { showTerms } from "./terms.js";
import { offerTestCards } from "./testcards.js";

const TERMINAL = ["succeeded", "canceled", "processing", "requires_capture"];
const LAYOUTS = ["accordion", "tabs", "auto"];

const settings = { group: {}, element: {}, intent: null, refusesTerminalIntents: true, defaultLayout: "accordion" };

async function init({ publishableKey, ...rest }) {
  useKey(publishableKey);
  Object.assign(settings, rest);
  const refusal = await loadIntent();
  if (refusal) return refusal;
  show();
  offerTestCards((digits) => {
    form.fillCard(digits);
    changed();
  });
  watchHeight();
  return {};
}

// With a client secret, currency, amount and methods are the intent's; as of clover Elements
// refuse intents that cannot be confirmed any more.
async function loadIntent() {
  const { clientSecret } = settings.group;
  if (!clientSecret) return null;
  const answer = await retrieveIntent(clientSecret);
  if (answer.error) return answer;
  settings.intent = answer.paymentIntent;
  const { status } = settings.intent;
  if (!settings.refusesTerminalIntents || !TERMINAL.includes(status)) return null;
  return {
    error: {
      type: "invalid_request_error",
      code: "payment_intent_unexpected_state",
      message: `This PaymentIntent is in a terminal state (${status}) and cannot be used to initialize Elements.`,
      payment_intent: settings.intent,
    },
  };
}

function show() {
  const { group, element, intent } = settings;
  applyAppearance(group.appearance);
  const names = form.offeredMethods(group, intent);
  form.showMethods(names, layoutOf(element.layout));
  form.applyDefaults(element);
  form.showBrand();
  showTerms(group, element, intent);
  document.getElementById("no-method").hidden = names.length > 0;
  document.getElementById("element").hidden = false;
}

function layoutOf(layout) {
  const given = typeof layout === "string" ? { type: layout } : { ...layout };
  const type = LAYOUTS.includes(given.type) && given.type !== "auto" ? given.type : settings.defaultLayout;
  return { type, defaultCollapsed: given.defaultCollapsed === true };
}

function submit() {
  const problem = form.validate();
  if (problem) return { error: { type: "validation_error", ...problem } };
  return { selectedPaymentMethod: form.selectedMethod() };
}

async function confirm({ clientSecret, confirmParams }) {
  const problem = form.validate();
  if (problem) return { error: { type: "validation_error", ...problem } };
  const found = await retrieveIntent(clientSecret);
  if (found.error) return found;
  const refusal = mismatch(settings.group, found.paymentIntent);
  if (refusal) return { error: { ...refusal, payment_intent: found.paymentIntent } };
  const { payment_method_data: more, ...params } = confirmParams;
  return confirmIntent(clientSecret, { ...params, payment_method_data: withDetails(more) });
}

function withDetails(more = {}) {
  const entered = form.methodParams();
  return { ...entered, ...more, billing_details: merged(entered.billing_details, more.billing_details) };
}

function merged(entered, given = {}) {
  return { ...entered, ...given, address: { ...entered.address, ...given.address } };
}

async function createPaymentMethod({ params }) {
  const problem = form.validate();
  if (problem) return { error: { type: "validation_error", ...problem } };
  return createMethod(withDetails(params));
}

async function updateGroup({ group }) {
  settings.group = group;
  const refusal = await loadIntent();
  if (refusal) return refusal;
  show();
  return {};
}

function updateElement({ element }) {
  settings.element = element;
  show();
}

function changed() {
  announce("change", form.state());
}

function listen() {
  const root = document.getElementById("element");
  root.addEventListener("input", () => {
    form.showBrand();
    changed();
  });
  root.addEventListener("change", (event) => {
    if (event.target.name !== "method") return;
    form.select(event.target.value);
    changed();
  });
  root.addEventListener("focusin", (event) => {
    if (!root.contains(event.relatedTarget)) announce("focus");
  });
  root.addEventListener("focusout", (event) => {
    if (!root.contains(event.relatedTarget)) announce("blur");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") announce("escape");
  });
  document.getElementById("element-form").addEventListener("submit", (event) => event.preventDefault());
}

function watchHeight() {
  const report = () => announce("height", { pixels: Math.ceil(document.body.getBoundingClientRect().height) });
  report(); // before the page is told that the element is ready: what is shown then has its place
  new ResizeObserver(report).observe(document.body);
}

listen();
answerWith({
  init,
  submit,
  confirm,
  createPaymentMethod,
  updateGroup,
  updateElement,
  focus: form.focusFirst,
  blur: () => document.activeElement?.blur(),
  clear: () => {
    form.clear();
    changed();
  },
  collapse: () => {
    form.select(null);
    changed();
  },
});
