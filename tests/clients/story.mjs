// The main story of a shop, told by Stripe's Node SDK: node story.mjs <port of fakestripe>.
// Prints what came back as one JSON object; test_node_sdk.py says what it must be.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [port, folder] = process.argv.slice(2);
const Stripe = createRequire(`${folder}/package.json`)("stripe");
const stripe = new Stripe("sk_test_ofTheNodeStory", {
  host: "127.0.0.1", port: Number(port), protocol: "http", telemetry: false, maxNetworkRetries: 0,
});
const CARDS = { automatic_payment_methods: { enabled: true, allow_redirects: "never" } };

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    const known = Object.keys(Stripe.errors).filter((n) => error.constructor === Stripe.errors[n]);
    const { statusCode, code, decline_code, param, requestId } = error;
    return { known, statusCode, code, decline_code, param, hasRequestId: Boolean(requestId) };
  }
  return { known: [] };
}

async function payments() {
  const customer = await stripe.customers.create({ email: "jo@example.com", metadata: { a: "b" } });
  const intent = await stripe.paymentIntents.create({
    amount: 500, currency: "usd", customer: customer.id, ...CARDS,
  });
  const paid = await stripe.paymentIntents.confirm(intent.id, {
    payment_method: "pm_card_visa", expand: ["latest_charge"],
  });
  const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 200 });
  const charge = await stripe.charges.retrieve(paid.latest_charge.id);
  const asked = await stripe.paymentIntents.create({
    amount: 500, currency: "usd", confirm: true, return_url: "https://shop.test/",
    payment_method: "pm_card_authenticationRequired", ...CARDS,
  });
  return {
    created: intent.status, paid: paid.status,
    refund: refund.status, refunded: charge.amount_refunded,
    asked: [asked.status, asked.next_action.type],
  };
}

async function errors() {
  const other = new Stripe("not a key", { host: "127.0.0.1", port: Number(port), protocol: "http" });
  const declined = { amount: 500, currency: "usd", confirm: true, ...CARDS };
  return {
    card: await refused(stripe.paymentIntents.create(
      { ...declined, payment_method: "pm_card_visa_chargeDeclinedInsufficientFunds" })),
    request: await refused(stripe.paymentIntents.retrieve("pi_nobody")),
    unknown: await refused(stripe.customers.create({ colour: "red" })),
    key: await refused(other.customers.list()),
  };
}

async function idempotency() {
  const options = { idempotencyKey: "one-customer" };
  const first = await stripe.customers.create({ name: "Jo" }, options);
  const again = await stripe.customers.create({ name: "Jo" }, options);
  const differs = await refused(stripe.customers.create({ name: "Al" }, options));
  return { same: first.id === again.id, differs,
    replayed: again.lastResponse.headers["idempotent-replayed"] };
}

async function pages() {
  const made = [];
  for (let i = 0; i < 5; i += 1) {
    made.push((await stripe.customers.create({ email: "many@example.com" })).id);
  }
  const found = [];
  for await (const one of stripe.customers.list({ email: "many@example.com", limit: 2 })) {
    found.push(one.id);
  }
  return { newestFirst: JSON.stringify(found) === JSON.stringify(made.reverse()) };
}

async function billing() {
  const product = await stripe.products.create({ name: "Pro" });
  const price = await stripe.prices.create({
    product: product.id, currency: "usd", unit_amount: 900, recurring: { interval: "month" },
  });
  const customer = await stripe.customers.create({
    payment_method: "pm_card_visa", invoice_settings: { default_payment_method: "pm_card_visa" },
  });
  const session = await stripe.checkout.sessions.create({
    mode: "subscription", customer: customer.id, line_items: [{ price: price.id, quantity: 1 }],
    success_url: "https://shop.test/{CHECKOUT_SESSION_ID}",
  });
  const lines = await stripe.checkout.sessions.listLineItems(session.id);
  const expired = await stripe.checkout.sessions.expire(session.id);
  const subscription = await stripe.subscriptions.create({
    customer: customer.id, items: [{ price: price.id }], expand: ["latest_invoice.payments"],
  });
  const invoice = subscription.latest_invoice;
  await stripe.billingPortal.configurations.create({
    features: { invoice_history: { enabled: true } },
  });
  const portal = await stripe.billingPortal.sessions.create({
    customer: customer.id, return_url: "https://shop.test/",
  });
  const ending = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  const over = await stripe.subscriptions.cancel(subscription.id);
  return {
    session: [session.status, expired.status], url: session.url.includes(session.id),
    line: lines.data[0].amount_total, subscription: subscription.status,
    invoice: [invoice.status, invoice.amount_paid, invoice.payments.data[0].status],
    lineOf: invoice.lines.data[0].pricing.price_details.price === price.id,
    portal: portal.url.startsWith(`http://localhost:${port}/p/session/`),
    ending: ending.cancel_at_period_end, over: over.status,
  };
}

async function webhook() {
  const arrived = Promise.withResolvers?.() ?? deferred();
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      response.end();
      const body = Buffer.concat(parts).toString();
      arrived.resolve({ body, signature: request.headers["stripe-signature"] });
    });
  });
  await new Promise((ready) => { server.listen(0, "127.0.0.1", ready); });
  const { secret } = await stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${server.address().port}/hook`, enabled_events: ["customer.created"],
  });
  const customer = await stripe.customers.create({ name: "Told of" });
  const { body, signature } = await arrived.promise;
  server.close();
  const event = stripe.webhooks.constructEvent(body, signature, secret);
  const forged = body.replace("Told of", "Forged");
  let refusal = "";
  try {
    stripe.webhooks.constructEvent(forged, signature, secret);
  } catch (error) {
    refusal = error.constructor.name;
  }
  return {
    type: event.type, about: event.data.object.id === customer.id, forged: refusal,
    version: event.api_version === stripe.getApiField("version"),
  };
}

function deferred() {
  const made = {};
  made.promise = new Promise((resolve) => { made.resolve = resolve; });
  return made;
}

console.log(JSON.stringify({
  payments: await payments(), errors: await errors(), idempotency: await idempotency(),
  pages: await pages(), billing: await billing(), webhook: await webhook(),
}));
