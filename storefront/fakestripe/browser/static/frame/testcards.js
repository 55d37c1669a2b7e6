// Test cards: the list under the card fields; a press on a number fills the form.

import { testCards } from "./api.js";
import { formatNumber } from "./card.js";

// The list is fetched when it is opened for the first time.
export function offerTestCards(use) {
  const details = document.getElementById("test-cards");
  const open = async () => {
    if (!details.open) return;
    details.removeEventListener("toggle", open);
    await fill(details.querySelector("ul"), use);
  };
  details.addEventListener("toggle", open);
}

async function fill(list, use) {
  const answer = await testCards();
  const cards = (answer.cards ?? []).filter((card) => card.number);
  if (!cards.length) {
    const item = document.createElement("li");
    item.textContent = "The list could not be loaded.";
    list.replaceChildren(item);
    return;
  }
  list.replaceChildren(...cards.map((card) => row(card, use)));
}

function row(card, use) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = formatNumber(card.number);
  button.addEventListener("click", () => use(card.number));
  const result = document.createElement("span");
  result.textContent = card.title;
  item.append(button, result);
  return item;
}
