// API: the calls that Stripe.js makes with a publishable key, from fakestripe's own origin.

const CONNECTION_ERROR = {
  type: "api_connection_error",
  message:
    "We are experiencing issues connecting to our payments provider. Please check your internet " +
    "connection and try again.",
};
const API_ERROR = { type: "api_error", message: "An unexpected error occurred. Please try again." };

let publishableKey = "";

export function useKey(key) {
  publishableKey = key;
}

export async function retrieveIntent(clientSecret) {
  const query = new URLSearchParams({ client_secret: clientSecret });
  return intentAnswer(await call("GET", `${intentPath(clientSecret)}?${query}`));
}

export async function confirmIntent(clientSecret, params) {
  const body = { ...params, client_secret: clientSecret, use_stripe_sdk: "true" };
  return intentAnswer(await call("POST", `${intentPath(clientSecret)}/confirm`, body));
}

export async function createMethod(params) {
  const answer = await call("POST", "/v1/payment_methods", params);
  return answer.error ? answer : { paymentMethod: answer };
}

export async function testCards() {
  return call("GET", "/_control/cards");
}

function intentPath(clientSecret) {
  const id = clientSecret.slice(0, clientSecret.indexOf("_secret_"));
  return `/v1/payment_intents/${encodeURIComponent(id)}`;
}

function intentAnswer(answer) {
  return answer.error ? answer : { paymentIntent: answer };
}

// Resolves with the parsed answer, or with {error} in Stripe's shape; never rejects.
async function call(method, path, params) {
  const request = {
    method,
    headers: { Authorization: `Bearer ${publishableKey}` },
    credentials: "omit",
    cache: "no-store",
  };
  if (params) request.body = encodeForm(params);
  try {
    const response = await fetch(path, request);
    const answer = await response.json().catch(() => ({ error: API_ERROR }));
    if (!response.ok && !answer.error) return { error: API_ERROR };
    return answer;
  } catch {
    return { error: CONNECTION_ERROR };
  }
}

// Stripe's form encoding: {card: {cvc: "1"}} becomes card[cvc]=1; lists become name[0], name[1].
export function encodeForm(params) {
  const form = new URLSearchParams();
  const add = (name, value) => {
    if (value === undefined || value === null) return;
    if (typeof value !== "object") form.append(name, String(value));
    else for (const [key, inner] of Object.entries(value)) add(name ? `${name}[${key}]` : key, inner);
  };
  add("", params);
  return form;
}
