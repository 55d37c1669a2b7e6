// Challenge: the pretended bank's page. Inside a shop's modal the answer is sent by fetch and the
// modal is told; as a page of its own the form is sent as it is and the server redirects.

import { announce, answerWith } from "./channel.js";

const form = document.getElementById("challenge");
const problem = document.getElementById("problem");
const embedded = window.parent !== window;

async function answer(outcome) {
  const body = new URLSearchParams({ client_secret: form.elements.client_secret.value });
  const response = await fetch(`${form.getAttribute("action")}/${outcome}`, { method: "POST", body });
  if (!response.ok) throw new Error(`fakestripe answered ${response.status}`);
}

async function press(event) {
  event.preventDefault();
  const outcome = event.submitter.value;
  allow(false);
  try {
    await answer(outcome);
    announce("answered");
  } catch {
    problem.textContent = "The answer could not be sent. Please try again.";
    allow(true);
  }
}

function allow(pressing) {
  form?.querySelectorAll("button").forEach((button) => { button.disabled = !pressing; });
}

function keepFocusInside(event) {
  if (event.key === "Escape") event.preventDefault(); // an open payment is ended by an answer only
  if (event.key !== "Tab") return;
  const stops = [...document.querySelectorAll("button:not(:disabled)")];
  const place = stops.indexOf(document.activeElement); // -1: the heading, before all of them
  const leaving = event.shiftKey ? place <= 0 : place === stops.length - 1;
  if (!leaving) return;
  event.preventDefault();
  stops.at(event.shiftKey ? -1 : 0)?.focus();
}

if (embedded) {
  document.documentElement.classList.add("embedded");
  form?.addEventListener("submit", press);
  document.getElementById("close")?.addEventListener("click", () => announce("answered"));
  document.addEventListener("keydown", keepFocusInside);
  answerWith({});
  document.querySelector("h1").focus();
}
allow(true);
