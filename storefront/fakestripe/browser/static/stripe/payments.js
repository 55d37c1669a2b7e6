// Payments: confirming an intent and what follows: challenge, redirect, result.

const REDIRECTS = ["always", "if_required"];
const AUTHENTICATION_FAILED = "payment_intent_authentication_failure";
// What Stripe.js says to the customer; the intent's own last_payment_error speaks to the merchant.
const AUTHENTICATION_FAILED_MESSAGE =
  "We are unable to authenticate your payment method. Please choose a different payment method and try again.";
const NEVER = new Promise(() => {}); // the page is being left: nothing may settle any more

async function confirmPayment(stripe, options) {
  const call = "stripe.confirmPayment()";
  checkConfirm(call, options);
  const { elements, confirmParams = {}, redirect = "always" } = options;
  const clientSecret = options.clientSecret ?? elements?._group.clientSecret;
  checkClientSecret(call, clientSecret);
  const answer = elements
    ? await confirmWithElements(call, elements, clientSecret, confirmParams)
    : await askFrame(stripe._controller, "confirm", { clientSecret, confirmParams });
  const result = await followUp(stripe, clientSecret, answer);
  if (result.error || redirect === "if_required") return result;
  window.location.assign(returnUrl(confirmParams.return_url, result.paymentIntent));
  return NEVER;
}

async function confirmWithElements(call, elements, clientSecret, confirmParams) {
  const frame = elements._requirePayment(call);
  elements._requireSubmitted(call);
  return askFrame(frame, "confirm", { clientSecret, confirmParams });
}

function checkConfirm(call, options) {
  if (!options || typeof options !== "object") {
    throw new IntegrationError(`${call} needs an object with elements or clientSecret.`);
  }
  const { elements, clientSecret, confirmParams, redirect } = options;
  if (elements !== undefined && !(elements instanceof Elements)) {
    throw new IntegrationError(`Invalid value for ${call}: elements should be an object created with stripe.elements().`);
  }
  if (!elements && clientSecret === undefined) {
    throw new IntegrationError(`${call} needs elements or clientSecret.`);
  }
  if (elements?._group.mode && clientSecret === undefined) {
    throw new IntegrationError(
      `${call}: clientSecret is required when Elements were created with mode (deferred intent).`,
    );
  }
  if (elements?._group.mode === "setup") throw notOffered("stripe.confirmSetup()");
  if (redirect !== undefined && !REDIRECTS.includes(redirect)) {
    throw invalidValue(call, "redirect", `one of: ${REDIRECTS.join(", ")}`, redirect);
  }
  checkReturnUrl(call, confirmParams?.return_url, redirect);
}

function checkReturnUrl(call, url, redirect) {
  if (url === undefined && redirect === "if_required") return;
  if (url === undefined) {
    throw new IntegrationError(
      `${call}: confirmParams.return_url is required, unless redirect is "if_required".`,
    );
  }
  if (typeof url !== "string" || !/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw invalidValue(call, "confirmParams.return_url", "an absolute URL with http:// or https://", url);
  }
}

// From the API's answer to the final result; runs the challenge where one is asked for.
async function followUp(stripe, clientSecret, answer) {
  if (answer.error) return { error: publicError(answer.error) };
  const intent = answer.paymentIntent;
  if (intent.status !== "requires_action") return { paymentIntent: intent };
  const next = intent.next_action;
  if (next?.type === "redirect_to_url") {
    window.location.assign(next.redirect_to_url.url);
    return NEVER;
  }
  if (next?.type !== "use_stripe_sdk") return { paymentIntent: intent };
  await openChallenge(clientSecret);
  return afterChallenge(await askFrame(stripe._controller, "retrieve", { clientSecret }));
}

function afterChallenge(answer) {
  if (answer.error) return { error: publicError(answer.error) };
  const intent = answer.paymentIntent;
  const failed = intent.status === "requires_payment_method" && intent.last_payment_error;
  if (!failed) return { paymentIntent: intent };
  const error = { ...intent.last_payment_error, payment_intent: intent };
  if (error.code === AUTHENTICATION_FAILED) error.message = AUTHENTICATION_FAILED_MESSAGE;
  return { error: publicError(error) };
}

function returnUrl(base, intent) {
  const url = new URL(base);
  url.searchParams.set("payment_intent", intent.id);
  url.searchParams.set("payment_intent_client_secret", intent.client_secret);
  url.searchParams.set("redirect_status", intent.status === "requires_payment_method" ? "failed" : "succeeded");
  return url.href;
}

async function retrievePaymentIntent(stripe, clientSecret) {
  checkClientSecret("stripe.retrievePaymentIntent()", clientSecret);
  const answer = await askFrame(stripe._controller, "retrieve", { clientSecret });
  return answer.error ? { error: publicError(answer.error) } : { paymentIntent: answer.paymentIntent };
}

async function handleNextAction(stripe, options) {
  checkClientSecret("stripe.handleNextAction()", options?.clientSecret);
  const { clientSecret } = options;
  const answer = await askFrame(stripe._controller, "retrieve", { clientSecret });
  return followUp(stripe, clientSecret, answer);
}

async function createPaymentMethod(options) {
  const call = "stripe.createPaymentMethod()";
  if (!(options?.elements instanceof Elements)) {
    throw new IntegrationError(
      `${call} takes {elements} in fakestripe's stand-in for Stripe.js; card details are never passed by the page.`,
    );
  }
  const { elements, params = {} } = options;
  const frame = elements._requirePayment(call);
  elements._requireSubmitted(call);
  const answer = await askFrame(frame, "createPaymentMethod", { params });
  return answer.error ? { error: publicError(answer.error) } : { paymentMethod: answer.paymentMethod };
}
