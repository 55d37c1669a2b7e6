// Stripe: the function a page calls with its publishable key.

const TRAINS = ["acacia", "basil", "clover", "dahlia", "endive"];

// Whether this script's release train (STRIPE_VERSION, set by the server) has reached another.
function supports(train) {
  return TRAINS.indexOf(STRIPE_VERSION) >= TRAINS.indexOf(train);
}

class StripeObject {
  constructor(publishableKey) {
    this._publishableKey = publishableKey;
    this._controller = openController(publishableKey);
    refuseWhatIsNotOffered(this);
  }

  elements(options = {}) {
    return new Elements(this._publishableKey, this._controller, { ...options });
  }

  async confirmPayment(options) {
    return confirmPayment(this, options);
  }

  async retrievePaymentIntent(clientSecret) {
    return retrievePaymentIntent(this, clientSecret);
  }

  async handleNextAction(options) {
    return handleNextAction(this, options);
  }

  async createPaymentMethod(options) {
    return createPaymentMethod(options);
  }

  // Called by wrappers and by the npm loader to introduce themselves; nothing here depends on it.
  registerAppInfo() {}

  _registerWrapper() {}
}

function checkPublishableKey(key) {
  if (typeof key !== "string") {
    throw new IntegrationError("Missing value for Stripe(): apiKey should be a string.");
  }
  if (key === "") {
    throw new IntegrationError("Please call Stripe() with your publishable key. You used an empty string.");
  }
  if (/^(sk|rk)_/.test(key)) {
    throw new IntegrationError(
      "You should not use your secret key with Stripe.js.\nPlease pass a publishable key instead.",
    );
  }
  if (key.startsWith("pk_live_")) {
    throw new IntegrationError("This is a stand-in for Stripe: it never takes live keys. Use a pk_test_ key.");
  }
  if (!/^pk_test_[A-Za-z0-9_]+$/.test(key)) {
    throw new IntegrationError("Invalid API key for Stripe(): a publishable key starts with pk_test_.");
  }
}

window.Stripe = function Stripe(publishableKey, options = {}) {
  checkPublishableKey(publishableKey);
  warnAboutUnknown("Stripe()", options, [
    "apiVersion", "betas", "developerTools", "locale", "stripeAccount", "advancedFraudSignals",
  ]);
  return new StripeObject(publishableKey);
};
window.Stripe.version = STRIPE_VERSION;
