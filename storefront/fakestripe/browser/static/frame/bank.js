// Bank: grouping and checks of IBANs, US routing numbers, account numbers, names, e-mails. No DOM.

import { digitsOf } from "./card.js";

const SEPA_COUNTRIES =
  "AD AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MT NL NO PL PT RO SE SI SK SM VA";

export function compactIban(text) {
  return text.replace(/[^A-Za-z0-9]/g, "").toUpperCase();
}

export function formatIban(text) {
  return compactIban(text).slice(0, 34).replace(/(.{4})(?=.)/g, "$1 ");
}

export function checkIban(text) {
  const iban = compactIban(text);
  if (iban.length < 15) return { code: "incomplete_iban", message: "Your IBAN is incomplete." };
  if (!SEPA_COUNTRIES.includes(iban.slice(0, 2)) || remainder97(iban) !== 1n) {
    return { code: "invalid_iban", message: "Your IBAN is invalid." };
  }
  return null;
}

// ISO 13616: country and check digits moved to the end, letters as 10…35, remainder by 97 is 1.
function remainder97(iban) {
  const moved = iban.slice(4) + iban.slice(0, 4);
  return BigInt(moved.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))) % 97n;
}

export function formatRouting(text) {
  return digitsOf(text).slice(0, 9);
}

export function checkRouting(text) {
  const digits = digitsOf(text);
  if (digits.length < 9) {
    return { code: "incomplete_routing_number", message: "Your routing number is incomplete." };
  }
  const sum = [...digits].reduce((total, digit, place) => total + Number(digit) * [3, 7, 1][place % 3], 0);
  return sum % 10 === 0
    ? null
    : { code: "invalid_routing_number", message: "Your routing number is invalid." };
}

export function formatAccount(text) {
  return digitsOf(text).slice(0, 17);
}

export function checkAccount(text) {
  return digitsOf(text).length >= 4
    ? null
    : { code: "incomplete_account_number", message: "Your account number is incomplete." };
}

export function checkName(text) {
  return text.trim() ? null : { code: "incomplete_name", message: "Your name is incomplete." };
}

export function checkEmail(text) {
  return /^\S+@\S+\.\S+$/.test(text.trim())
    ? null
    : { code: "incomplete_email", message: "Your email is incomplete." };
}
