// After a visit to Checkout: ask the shop until the order is settled, for half a minute at most,
// then show the page as it is now.

import { getJson } from "./api.js";

const PAUSES_MS = [300, 700, 1000, 1500, 2000, 2000, 2500, 2500, 2500, 2500, 2500, 2500, 2500, 2500];
const STILL_OPEN =
  "Your order is with Stripe, and its confirmation is still on its way. You can leave this page: " +
  "what you bought is switched on as soon as it arrives, and we will write to you.";

const section = document.getElementById("returned");
if (section?.dataset.url) watch(section.dataset.url);

async function watch(url) {
  for (const pause of PAUSES_MS) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (await settled(url)) {
      location.reload(); // all of the page has changed: the plan, the balance, the invoices
      return;
    }
  }
  document.getElementById("returned-heading").textContent = "Payment processing";
  document.getElementById("returned-message").textContent = STILL_OPEN;
  section.dataset.outcome = "resting";
}

async function settled(url) {
  try {
    return (await getJson(url)).outcome.settled;
  } catch {
    return false; // asked again after the next pause
  }
}
