// Errors: what is thrown at a programmer (IntegrationError), and what a payment answers ({error}).

// Stripe.js throws IntegrationError for wrong use of the library; it never ends up in {error}.
class IntegrationError extends Error {
  constructor(message) {
    super(message);
    this.name = "IntegrationError";
  }
}

function notOffered(call) {
  return new IntegrationError(
    `${call} is not offered by fakestripe's stand-in for Stripe.js. ` +
      "It exists at Stripe only; use the Payment Element with stripe.confirmPayment() here.",
  );
}

// Everything known of Stripe.js that this stand-in does not have: calling it must not fail silently.
const NOT_OFFERED = `
  checkout collectBankAccountForPayment collectBankAccountForSetup collectBankAccountToken
  collectFinancialConnectionsAccounts confirmAcssDebitPayment confirmAffirmPayment
  confirmAlipayPayment confirmAuBecsDebitPayment confirmBacsDebitPayment confirmBancontactPayment
  confirmBlikPayment confirmBoletoPayment confirmCardPayment confirmCardSetup
  confirmCashappPayment confirmCustomerBalancePayment confirmEpsPayment confirmFpxPayment
  confirmGiropayPayment confirmIdealPayment confirmKlarnaPayment confirmKonbiniPayment
  confirmMobilepayPayment confirmMultibancoPayment confirmOxxoPayment confirmP24Payment
  confirmPayByBankPayment confirmPayNowPayment confirmPayPalPayment confirmPaymentIntent
  confirmPixPayment confirmPromptPayPayment confirmRevolutPayPayment confirmSepaDebitPayment
  confirmSepaDebitSetup confirmSetup confirmSetupIntent confirmSofortPayment confirmTwintPayment
  confirmUsBankAccountPayment confirmUsBankAccountSetup confirmWechatPayPayment confirmZipPayment
  createConfirmationToken createEmbeddedCheckoutPage createEphemeralKeyProvider createRadarSession
  createSource createToken handleCardAction handleCardPayment handleCardSetup initCheckout
  initCheckoutElementsSdk initEmbeddedCheckout paymentRequest processOrder redirectToCheckout
  retrieveOrder retrieveSetupIntent retrieveSource verifyIdentity
  verifyMicrodepositsForPayment verifyMicrodepositsForSetup
`.split(/\s+/).filter(Boolean);

function refuseWhatIsNotOffered(target) {
  for (const name of NOT_OFFERED) {
    target[name] = () => {
      throw notOffered(`stripe.${name}()`);
    };
  }
}

const ERROR_FIELDS = [
  "type", "code", "decline_code", "message", "param", "payment_intent", "payment_method",
  "doc_url", "charge", "request_log_url",
];

// The error object that confirmPayment and its sisters resolve with: only the documented fields.
function publicError(error) {
  const shown = {};
  for (const field of ERROR_FIELDS) {
    if (error[field] !== undefined && error[field] !== null) shown[field] = error[field];
  }
  return shown;
}

function describe(value) {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function invalidValue(call, name, expectation, value) {
  return new IntegrationError(
    `Invalid value for ${call}: ${name} should be ${expectation}. You specified: ${describe(value)}.`,
  );
}

function warnAboutUnknown(call, options, known) {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      console.warn(`[Stripe.js] Unrecognized ${call} parameter: ${name} is not a recognized parameter.`);
    }
  }
}
