// Pay: sends a form with a card in it, shows the bank's challenge, and goes where the server says.
//
// <form data-pay action="…/confirm"> answers {url}, {client_secret} or {error: {message, field}}.

import { cardForm } from "./card_form.js";
import { challenge } from "./challenge_dialog.js";

const CONNECTION = "The page could not reach fakestripe. Is it still running?";

for (const form of document.querySelectorAll("form[data-pay]")) listen(form);

function listen(form) {
  const card = cardForm(form);
  // A press that takes the focus from a field makes its message appear, and the button would
  // slip away from under the pointer before the press is over.
  form.addEventListener("mousedown", (event) => {
    if (event.target.closest("[type=submit]")) event.preventDefault();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter ?? form.querySelector("[type=submit]");
    if (button.getAttribute("aria-busy") === "true") return;
    say(form, "");
    if (!form.reportValidity()) return;
    const usesCard = card && !form.querySelector(".card-form").disabled;
    if (usesCard && card.problem()) return;
    await work(button, () => pay(form, usesCard ? card.params() : null));
  });
  for (const button of form.querySelectorAll("[type=submit]")) button.disabled = false;
}

// Leaves the button busy on success: the page is about to be left.
async function work(button, action) {
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  if (await action()) return;
  button.removeAttribute("aria-busy");
  button.removeAttribute("aria-disabled");
}

async function pay(form, card) {
  const entered = Object.fromEntries(new FormData(form));
  for (const name of ["cardnumber", "exp-date", "cvc", "country"]) delete entered[name];
  let answer = await send(form.action, { ...entered, card });
  while (answer.client_secret) {
    await challenge(answer.client_secret);
    answer = await send(form.dataset.resume, { client_secret: answer.client_secret });
  }
  if (answer.url) {
    window.location.assign(answer.url);
    return true;
  }
  say(form, answer.error?.message ?? "Something went wrong. Please try again.");
  return false;
}

async function send(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      cache: "no-store",
    });
    return await response.json();
  } catch {
    return { error: { message: CONNECTION } };
  }
}

function say(form, text) {
  form.querySelector(".problem").textContent = text;
}
