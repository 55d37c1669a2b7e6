// Terms: the sentence of consent under a method, where the details are kept for later.

export function showTerms(group, element, intent) {
  const business = element.business?.name ?? "the merchant";
  const kept = (intent?.setup_future_usage ?? group.setupFutureUsage) === "off_session";
  const never = (name) => element.terms?.[name] === "never";
  write("card-terms", kept && !never("card"),
    `By providing your card information, you allow ${business} to charge your card for future ` +
      "payments in accordance with their terms.");
  write("sepa-terms", !never("sepaDebit"),
    `By providing your payment information and confirming this payment, you authorise ${business} ` +
      "and Stripe to send instructions to your bank to debit your account, as in a real SEPA mandate. Here nothing is debited.");
  write("us-terms", !never("usBankAccount"),
    `By confirming this payment, you authorise ${business} to debit the bank account given above, ` +
      "as in a real ACH mandate. Here nothing is debited.");
}

function write(id, shown, text) {
  const paragraph = document.getElementById(id);
  paragraph.textContent = shown ? text : "";
  paragraph.hidden = !shown;
}
