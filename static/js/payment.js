// What became of a payment: ask the shop until it knows, for about ten seconds.

import { getJson } from "./api.js";
import { forgetOrder } from "./order.js";

const PAUSES_MS = [300, 500, 800, 1200, 1600, 2000, 2000, 2000];
const OVER = ["succeeded", "processing"]; // the purchase is made; the next one is another
const STILL_OPEN =
  "We have not heard from your bank yet. If you confirmed the payment, we will add the credits " +
  "as soon as the confirmation arrives. You can leave this page.";

const section = document.getElementById("payment");
const heading = document.getElementById("outcome-heading");
const message = document.getElementById("outcome-message");
const format = new Intl.NumberFormat("en-US");

// The client secret must not stay in the address bar. The server has taken it off already.
if (location.search) history.replaceState(null, "", location.pathname);
if (OVER.includes(section.dataset.outcome)) forgetOrder();
if (!("settled" in section.dataset)) watch();

async function watch() {
  let payment = null;
  for (const pause of PAUSES_MS) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    payment = (await ask()) ?? payment;
    if (payment) show(payment);
    if (payment?.outcome.settled) return;
  }
  rest(payment?.outcome.name);
}

// Enough asked: from here on the customer decides when to look again.
function rest(name) {
  reveal("resting");
  if (name !== "processing") say(STILL_OPEN);
}

async function ask() {
  try {
    return await getJson(section.dataset.url);
  } catch {
    return null; // asked again after the next pause
  }
}

function show({ outcome, balance, needs_top_up: needsTopUp }) {
  if (outcome.name === section.dataset.outcome) return;
  section.dataset.outcome = outcome.name;
  reveal(outcome.name);
  document.title = document.title.replace(heading.textContent, outcome.heading);
  heading.textContent = outcome.heading;
  say(outcome.message);
  document.getElementById("outcome-balance").textContent = credits(balance);
  showInHeader(balance, needsTopUp);
  if (OVER.includes(outcome.name)) forgetOrder();
}

function reveal(name) {
  document.querySelectorAll("[data-only]").forEach((part) => {
    part.hidden = !part.dataset.only.split(" ").includes(name);
  });
}

function say(sentence) {
  message.textContent = sentence;
}

function showInHeader(balance, needsTopUp) {
  const shown = document.querySelector("[data-testid=balance]");
  const link = document.querySelector("[data-add-credits]");
  shown.textContent = credits(balance);
  shown.closest(".balance").classList.toggle("balance-low", needsTopUp);
  link.classList.toggle("btn-add-required", needsTopUp);
  link.textContent = needsTopUp ? "Add credits (required)" : "Add credits";
}

function credits(number) {
  return format.format(number).replace("-", "−");
}
