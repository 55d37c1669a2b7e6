// Buying a pack: choose an amount, fill in Stripe's Payment Element, pay.
// The order of the calls is Stripe's deferred flow: elements.submit() before anything else that
// waits, then our server makes the intent, then stripe.confirmPayment().

import { Problem, postJson } from "./api.js";
import { appearance, onThemeChange } from "./appearance.js";
import { forgetOrder, orderKey } from "./order.js";
import { loadStripeJs } from "./stripe_js.js";

const PAID = ["succeeded", "processing", "requires_capture"];
const SLOW_MS = 20_000;
const SLOW =
  "The payment form is taking very long. If it does not appear, check your connection or " +
  "content blocker and load the page again. Nothing was charged.";
const NOT_LOADED =
  "The payment form could not be loaded, so paying is not possible right now. Nothing was " +
  "charged. Check your connection or content blocker, then load the page again.";

const form = document.getElementById("top-up");
const amounts = document.getElementById("amounts");
const frame = document.getElementById("payment-element");
const button = document.getElementById("pay");
const label = document.getElementById("pay-label");
const status = document.getElementById("pay-status");
const problemBox = document.getElementById("problem");
const settings = form.dataset;

let stripe = null;
let elements = null;
let ready = false;
let busy = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (ready && !busy) pay();
});
amounts.addEventListener("change", showAmount);
onThemeChange(() => elements?.update({ appearance: appearance() }));
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // back from the payment's page: what was here is over
});

showAmount(); // a reload may have kept another choice than the page came with
start();

async function start() {
  try {
    const Stripe = await loadStripeJs(settings.stripeJs);
    stripe = Stripe(settings.publishableKey);
    elements = stripe.elements({
      mode: "payment",
      ...price(chosen()),
      appearance: appearance(),
    });
    mount(elements);
  } catch {
    giveUp();
  }
}

function mount(elements) {
  const element = elements.create("payment", {
    layout: "tabs",
    defaultValues: { billingDetails: { email: settings.email } },
  });
  const slow = setTimeout(() => showProblem(SLOW), SLOW_MS);
  element.on("ready", () => {
    clearTimeout(slow);
    showProblem(null);
    frame.querySelector(".skeleton")?.remove();
    frame.removeAttribute("aria-busy");
    ready = true;
    showBusy(false);
  });
  element.on("loaderror", () => {
    clearTimeout(slow);
    giveUp();
  });
  element.mount(slot());
}

// Stripe empties what it mounts into; the loading line stays beside it until it is ready.
function slot() {
  const place = document.createElement("div");
  frame.append(place);
  return place;
}

function giveUp() {
  ready = false;
  frame.replaceChildren();
  frame.removeAttribute("aria-busy");
  showProblem(NOT_LOADED);
  button.setAttribute("aria-disabled", "true");
}

async function pay() {
  showProblem(null);
  showBusy(true);
  try {
    const paymentId = await purchase(chosen().value);
    forgetOrder();
    location.assign(settings.paymentUrl.replace("PAYMENT", paymentId));
  } catch (error) {
    showBusy(false);
    if (error.status === 401) showSignIn();
    else showProblem(error instanceof Problem ? error.message : unexpected(error));
  }
}

// The id of a payment that was made, or is on its way. Throws a Problem otherwise.
async function purchase(pack) {
  const { error: incomplete } = await elements.submit();
  if (incomplete) throw new Problem(incomplete.message);
  const payment = await postJson(
    settings.createUrl,
    { pack, order_key: orderKey() },
    settings.csrfToken,
  );
  if (!PAID.includes(payment.status)) await confirm(payment);
  return payment.payment_id;
}

async function confirm(payment) {
  const page = settings.paymentUrl.replace("PAYMENT", payment.payment_id);
  const { error } = await stripe.confirmPayment({
    elements,
    clientSecret: payment.client_secret,
    confirmParams: { return_url: new URL(page, location.href).href },
    redirect: "if_required",
  });
  if (error && !PAID.includes(error.payment_intent?.status)) throw new Problem(inWords(error));
}

// Stripe's messages of these two types are written for customers; the others for developers.
function inWords(error) {
  const forCustomers =
    ["card_error", "validation_error"].includes(error.type) ||
    error.code === "payment_intent_authentication_failure";
  if (forCustomers && error.message) return error.message;
  if (error.type === "api_connection_error") {
    return "The payment service cannot be reached. Check your connection and try again; you will not be charged twice.";
  }
  return "The payment did not go through. Please try again; you will not be charged twice.";
}

function unexpected(error) {
  console.error(error);
  return "Something went wrong on this page. Load it again and retry; you will not be charged twice.";
}

function chosen() {
  return form.querySelector("input[name=pack]:checked");
}

function price(input) {
  return { amount: Number(input.dataset.amount), currency: input.dataset.currency };
}

function showAmount() {
  label.textContent = `Pay ${chosen().dataset.price}`;
  elements?.update(price(chosen()));
}

// The button stays in place and in focus: screen readers hear what happens to it.
function showBusy(value) {
  busy = value;
  amounts.disabled = value;
  form.toggleAttribute("data-busy", value);
  button.setAttribute("aria-disabled", String(value || !ready));
  button.setAttribute("aria-busy", String(value));
  status.textContent = value ? "Paying. Please keep this page open." : "";
}

function showProblem(sentence) {
  problemBox.hidden = sentence === null;
  problemBox.textContent = sentence ?? "";
}

function showSignIn() {
  showProblem("You are signed out. ");
  const link = document.createElement("a");
  link.href = settings.signInUrl;
  link.textContent = "Sign in";
  problemBox.append(link, " to go on; nothing was charged.");
}
