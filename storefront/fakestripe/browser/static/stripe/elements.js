// Elements: one group of options for one payment, deferred (mode, amount, currency) or bound to
// an intent (clientSecret).

const MODES = ["payment", "setup", "subscription"];
const THEMES = ["stripe", "night", "flat"];
const GROUP_OPTIONS = [
  "allowedPaymentMethodTypes", "amount", "appearance", "captureMethod", "clientSecret", "currency",
  "customerOptions", "customerSessionClientSecret", "excludedPaymentMethodTypes",
  "externalPaymentMethodTypes", "fonts", "loader", "locale", "mode", "onBehalfOf",
  "paymentMethodConfiguration", "paymentMethodCreation", "paymentMethodOptions",
  "paymentMethodTypes", "setupFutureUsage",
];
const OTHER_ELEMENTS = [
  "address", "affirmMessage", "afterpayClearpayMessage", "auBankAccount", "card", "cardCvc",
  "cardExpiry", "cardNumber", "contactDetails", "currencySelector", "expressCheckout", "iban",
  "idealBank", "issuingCardCopyButton", "linkAuthentication", "p24Bank",
  "paymentMethodMessaging", "paymentRequestButton", "shippingAddress", "taxId",
];
const CLIENT_SECRET = /^(pi|seti)_[A-Za-z0-9]+_secret_[A-Za-z0-9]+$/;

class Elements {
  constructor(publishableKey, controller, options) {
    checkGroup(options);
    this._publishableKey = publishableKey;
    this._controller = controller;
    this._group = options;
    this._payment = null;
    this._submitted = false;
  }

  create(type, options = {}) {
    if (type !== "payment") throw unknownElement(type);
    if (!this._group.mode && !this._group.clientSecret) {
      throw new IntegrationError(
        "In order to create a payment element, you must pass a clientSecret or mode when creating " +
          "the Elements group.\n\ne.g. stripe.elements({clientSecret: \"{{CLIENT_SECRET}}\"})",
      );
    }
    if (this._payment) {
      throw new IntegrationError("Can only create one Element of type payment through this Elements instance.");
    }
    this._payment = new PaymentElement(this, options);
    return this._payment;
  }

  getElement(type) {
    return type === "payment" ? this._payment : null;
  }

  update(options = {}) {
    if ("clientSecret" in options) {
      throw new IntegrationError("elements.update(): you cannot change the clientSecret; call stripe.elements() again.");
    }
    const group = { ...this._group, ...options };
    checkGroup(group);
    this._group = group;
    this._submitted = false;
    const updated = this._updateFrame();
    return supports("dahlia") ? updated : undefined; // a Promise since the dahlia train
  }

  async _updateFrame() {
    const frame = this._payment?._frame;
    if (!frame) return {};
    frame.iframe.style.colorScheme = this._scheme();
    const answer = await askFrame(frame, "updateGroup", { group: this._group });
    return answer.error ? { error: publicError(answer.error) } : {};
  }

  async submit() {
    const frame = this._requirePayment("elements.submit()");
    const answer = await askFrame(frame, "submit");
    if (answer.error) return { error: publicError(answer.error) };
    this._submitted = true;
    return { selectedPaymentMethod: answer.selectedPaymentMethod };
  }

  async fetchUpdates() {
    if (!this._group.clientSecret) {
      throw new IntegrationError("elements.fetchUpdates() needs Elements created with a clientSecret.");
    }
    const frame = this._payment?._frame;
    if (!frame) return {};
    const answer = await askFrame(frame, "updateGroup", { group: this._group });
    return answer.error ? { error: publicError(answer.error) } : {};
  }

  _requirePayment(call) {
    if (!this._payment) {
      throw new IntegrationError(`${call} needs a mounted payment Element: call elements.create("payment") first.`);
    }
    return this._payment._requireFrame(`calling ${call}`);
  }

  _requireSubmitted(call) {
    if (this._group.mode && !this._submitted) {
      throw new IntegrationError(
        `elements.submit() must be called before ${call}. Call and await elements.submit() when ` +
          "the customer presses the pay button, and again after any change, before any other asynchronous work.",
      );
    }
  }

  _changed() {
    this._submitted = false;
  }

  _forget(element) {
    if (this._payment === element) this._payment = null;
  }

  _scheme() {
    return this._group.appearance?.theme === "night" ? "dark" : "light";
  }
}

function checkGroup(options) {
  warnAboutUnknown("elements()", options, GROUP_OPTIONS);
  if (options.mode !== undefined && options.clientSecret !== undefined) {
    throw new IntegrationError("elements(): pass either mode or clientSecret, not both.");
  }
  if (options.clientSecret !== undefined) checkClientSecret("elements()", options.clientSecret);
  if (options.mode !== undefined) checkDeferred(options);
  checkMethodFilters(options);
  checkAppearance(options.appearance);
}

function checkDeferred({ mode, amount, currency }) {
  if (!MODES.includes(mode)) {
    throw invalidValue("elements()", "mode", `one of the following strings: ${MODES.join(", ")}`, mode);
  }
  if (mode === "setup" && amount === undefined && currency === undefined) return;
  if (typeof currency !== "string" || !/^[A-Za-z]{3}$/.test(currency)) {
    throw invalidValue("elements()", "currency", "a three-letter ISO currency code", currency);
  }
  const smallest = mode === "payment" ? 1 : 0; // a subscription may start with nothing to pay
  if (mode !== "setup" && !(Number.isInteger(amount) && amount >= smallest)) {
    throw invalidValue("elements()", "amount", "a positive integer in the currency's smallest unit", amount);
  }
}

function checkMethodFilters(options) {
  if (options.paymentMethodTypes !== undefined && supports("endive")) {
    throw new IntegrationError(
      "elements(): paymentMethodTypes is no longer supported. Use allowedPaymentMethodTypes instead.",
    );
  }
  for (const name of ["allowedPaymentMethodTypes", "excludedPaymentMethodTypes"]) {
    if (options[name] !== undefined && !Array.isArray(options[name])) {
      throw invalidValue("elements()", name, "an array of payment method types", options[name]);
    }
  }
  if (options.allowedPaymentMethodTypes && options.excludedPaymentMethodTypes) {
    throw new IntegrationError(
      "elements(): pass either allowedPaymentMethodTypes or excludedPaymentMethodTypes, not both.",
    );
  }
}

function checkAppearance(appearance) {
  const theme = appearance?.theme;
  if (theme !== undefined && !THEMES.includes(theme)) {
    throw invalidValue("elements()", "appearance.theme", `one of: ${THEMES.join(", ")}`, theme);
  }
}

function checkClientSecret(call, secret) {
  if (typeof secret !== "string" || !CLIENT_SECRET.test(secret)) {
    throw new IntegrationError(
      `Invalid value for ${call}: clientSecret should be a client secret of the form ` +
        `\${id}_secret_\${secret}. You specified: ${describe(secret)}.`,
    );
  }
}

function unknownElement(type) {
  if (OTHER_ELEMENTS.includes(type)) return notOffered(`elements.create("${type}")`);
  return new IntegrationError(`A valid Element name must be provided. You specified: ${describe(type)}.`);
}
