// Controller: the hidden frame that makes Stripe.js's API calls which belong to no element.

import { answerWith } from "./channel.js";
import { confirmIntent, retrieveIntent, useKey } from "./api.js";

answerWith({
  init: ({ publishableKey }) => useKey(publishableKey),
  retrieve: ({ clientSecret }) => retrieveIntent(clientSecret),
  confirm: ({ clientSecret, confirmParams }) => confirmIntent(clientSecret, confirmParams),
});
