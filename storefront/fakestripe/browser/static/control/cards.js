// Test cards: the table that decides what a card or account does, from the program itself.

import { read } from "./api.js";
import { element, h } from "./dom.js";

const BANKS = { sepa_debit: "SEPA Direct Debit", us_bank_account: "US bank account (routing / account)" };

export async function showCards() {
  const rows = element("cards-rows");
  if (rows.children.length) return; // the table does not change while fakestripe runs
  const { cards, bank_accounts: accounts } = await read("cards");
  rows.replaceChildren(
    ...cards.map((card) => row(grouped(card.number ?? "—"), card)),
    ...accounts.map((account) => row(account.number, account, BANKS[account.type])),
  );
}

function row(number, { ids, title, routing_number: routing }, kind = null) {
  const what = kind ? `${kind}: ${title[0].toLowerCase()}${title.slice(1)}` : title;
  return h("tr", {},
    h("td", {}, h("span", { class: "mono" }, routing ? `${routing} / ${number}` : number)),
    h("td", {}, what),
    h("td", {}, ids.map((id) => h("div", { class: "mono" }, id))),
  );
}

function grouped(number) {
  return /^\d{16}$/.test(number) ? number.replace(/(.{4})(?=.)/g, "$1 ") : number;
}
