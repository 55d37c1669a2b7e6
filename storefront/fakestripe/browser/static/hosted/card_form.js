// Card form: the three fields of a card on a hosted page, their checks and what they send.

import { brandOf, checkCvc, checkExpiry, checkNumber, digitsOf, formatCvc, formatExpiry, formatNumber, parseExpiry } from "../frame/card.js";
import { Field } from "../frame/field.js";
import { offerTestCards } from "../frame/testcards.js";

// null where the page asks for no card; else {problem(), params()}.
export function cardForm(form) {
  if (!form.querySelector("#number")) return null;
  const cvc = new Field("cvc", {
    format: (text) => formatCvc(text, number.value),
    check: (text) => checkCvc(text, number.value),
  });
  const expiry = new Field("expiry", { format: formatExpiry, check: checkExpiry, next: cvc });
  const number = new Field("number", { format: formatNumber, check: checkNumber, next: expiry });
  const fields = [number, expiry, cvc];
  const showBrand = () => {
    form.querySelector("#brands").dataset.brand = brandOf(number.value).name;
  };
  number.input.addEventListener("input", showBrand);
  offerTestCards((digits) => {
    number.set(digits);
    expiry.set("12 / 34");
    cvc.set(brandOf(digits).cvc === 4 ? "1234" : "123");
    showBrand();
  });
  showBrand();
  return { problem: () => firstProblem(fields), params: () => params(form, number, expiry, cvc) };
}

// Shows every problem, focuses the first, and says whether there is one.
function firstProblem(fields) {
  for (const field of fields) field.show(field.problem);
  const first = fields.find((field) => field.problem);
  first?.input.focus();
  return Boolean(first);
}

function params(form, number, expiry, cvc) {
  const { month, year } = parseExpiry(expiry.value);
  return {
    number: digitsOf(number.value),
    exp_month: month,
    exp_year: year,
    cvc: cvc.value,
    country: form.querySelector("#country")?.value,
  };
}
