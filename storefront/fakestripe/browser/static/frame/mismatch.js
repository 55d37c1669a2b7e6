// Mismatch: what the page told Elements must agree with the intent that the server made.

// null, or the error of the first disagreement. Stripe rejects it at confirm, without any event.
export function mismatch(group, intent) {
  if (!group.mode) return null; // bound to the intent by its client secret: nothing to compare
  const told = expectations(group);
  const wrong = Object.keys(told).find((name) => name in intent && told[name] !== normalised(name, intent[name]));
  if (!wrong) return null;
  return {
    type: "invalid_request_error",
    param: wrong,
    message:
      `The ${wrong} provided to Elements (${told[wrong]}) does not match the ${wrong} of the ` +
      `PaymentIntent (${normalised(wrong, intent[wrong])}). Update one of them so that they agree.`,
  };
}

function expectations(group) {
  return {
    amount: group.amount,
    currency: group.currency?.toLowerCase(),
    setup_future_usage: group.setupFutureUsage ?? "none",
    capture_method: normalised("capture_method", group.captureMethod ?? "automatic"),
  };
}

// automatic and automatic_async are one thing to Elements; a missing future usage is "none".
function normalised(name, value) {
  if (name === "capture_method") return value === "manual" ? "manual" : "automatic";
  if (name === "setup_future_usage") return value ?? "none";
  return value;
}
