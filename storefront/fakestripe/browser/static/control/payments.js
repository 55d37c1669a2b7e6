// Payments: what took money, what went back, and what a Dashboard or a bank can do about it.

import { post, read } from "./api.js";
import { attempt, badge, element, h, moment, showList } from "./dom.js";
import { decimalsOf, major, minor, money } from "./money.js";

const SHOWN = 50;
const CLOSED = ["won", "lost", "warning_closed"];
const TONES = {
  succeeded: "good", won: "good", warning_closed: "good",
  pending: "wait", requires_action: "wait", canceled: "none", past: "none", failed: "bad", lost: "bad",
};
// What a refund can be asked to do, besides what its card's line in the table says.
const COURSES = [
  ["", "As its card says"],
  ["succeeds", "Succeeds"],
  ["pending", "Pending, then succeeds"],
  ["fails", "Succeeds, then fails"],
];

let refresh = () => {};
let reasons = [];

export async function showPayments(state, refreshPage) {
  refresh = refreshPage;
  const { data, dispute_reasons: known } = await read("payments", { limit: SHOWN });
  reasons = known;
  showList(element("payments-list"), data, row, ({ charge }) => charge.id, "Nothing has been paid yet.");
}

function row(payment) {
  const { charge } = payment;
  const [tone, standing] = standingOf(payment);
  const what = charge.description ?? charge.billing_details.email ?? charge.payment_method_details.type;
  return h("details", {},
    h("summary", {},
      h("span", { class: "name" }, `${money(charge.amount_captured, charge.currency)} · ${what}`),
      h("span", { class: "mono" }, charge.payment_intent),
      badge(tone, standing),
      h("span", { class: "when" }, moment(charge.created)),
    ),
    h("div", { class: "detail" },
      payment.refundable ? refundForm(charge) : null,
      payment.disputes.every(({ status }) => ["won", "warning_closed"].includes(status)) ? disputeForm(charge) : null,
      warningForm(charge),
      history(payment),
    ),
  );
}

function standingOf({ charge, disputes }) {
  const open = disputes.find(({ status }) => !CLOSED.includes(status));
  if (open) return ["bad", open.status.startsWith("warning_") ? "inquiry" : "disputed"];
  if (disputes.some(({ status }) => status === "lost")) return ["bad", "charged back"];
  if (charge.refunded) return ["none", "refunded"];
  if (charge.amount_refunded) return ["wait", "partly refunded"];
  return ["good", "paid"];
}

function refundForm(charge) {
  const { currency } = charge;
  const left = charge.amount_captured - charge.amount_refunded;
  const decimals = decimalsOf(currency);
  const step = (1 / 10 ** decimals).toFixed(decimals);
  const amount = { name: "amount", type: "number", required: true, min: step, step, max: major(left, currency), value: major(left, currency) };
  return actionForm(charge, "refund",
    (given) => ({ amount: minor(given.amount, currency), ...(given.course && { course: given.course }) }),
    (made) => `Refund of ${money(made.amount, currency)}: ${words(made.status)}.`,
    h("label", {}, `Amount in ${currency.toUpperCase()}`, h("input", amount)),
    h("label", {}, "How it goes", select("course", COURSES)),
    h("button", {}, "Refund"),
  );
}

function disputeForm(charge) {
  return actionForm(charge, "dispute",
    (given) => ({ reason: given.reason, inquiry: given.kind === "inquiry" }),
    (made) => `Dispute over ${money(made.amount, charge.currency)}: ${words(made.status)}.`,
    h("label", {}, "Reason", select("reason", reasons.map((reason) => [reason, words(reason)]), "fraudulent")),
    h("label", {}, "Kind", select("kind", [["chargeback", "Chargeback"], ["inquiry", "Inquiry"]])),
    h("button", {}, "Open dispute"),
  );
}

function warningForm(charge) {
  const text = () => "The issuer has warned of fraud.";
  return actionForm(charge, "early_fraud_warning", () => ({}), text, h("button", { class: "quiet" }, "Warn of fraud"));
}

function actionForm(charge, action, bodyOf, sentence, ...parts) {
  const send = (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.currentTarget));
    void act(event.submitter, charge.id, `payments/${charge.id}/${action}`, bodyOf(given), sentence);
  };
  return h("form", { class: "inline", submit: send }, parts);
}

// The row is built anew when its payment has changed: the focus goes back to its heading.
function act(button, charge, path, body, sentence) {
  return attempt(button, async () => {
    const made = await post(path, body);
    document.activeElement?.blur(); // a focused field would keep the row as it is
    await refresh();
    document.querySelector(`#payments-list [data-key="${charge}"] > summary`)?.focus({ preventScroll: true });
    return sentence(made);
  });
}

function history({ charge, refunds, disputes, early_fraud_warnings: warnings }) {
  const items = [
    ...refunds.map((refund) => refundItem(charge, refund)),
    ...disputes.map((dispute) => disputeItem(charge, dispute)),
    ...warnings.map(warningItem),
  ];
  return items.length ? h("ul", { class: "plain" }, items) : null;
}

function refundItem(charge, refund) {
  const ends = {
    pending: [["succeeded", "Let it succeed"], ["failed", "Let it fail"]],
    requires_action: [["succeeded", "Let it succeed"], ["failed", "Let it fail"]],
    succeeded: [["failed", "Let it fail"]],
  }[refund.status] ?? [];
  const why = refund.failure_reason ?? refund.reason;
  return item("Refund", refund, refund.status, why, ends.map(([status, text]) =>
    button(charge, text, `refunds/${refund.id}`, { status }, (made) => `Refund of ${money(made.amount, made.currency)}: ${words(made.status)}.`)));
}

function disputeItem(charge, dispute) {
  const inquiry = dispute.status.startsWith("warning_");
  const outcomes = inquiry
    ? [["warning_closed", "Close it"], ["escalated", "Escalate it"]]
    : [["won", "Won"], ["lost", "Lost"]];
  const open = CLOSED.includes(dispute.status) ? [] : outcomes;
  return item(inquiry ? "Inquiry" : "Dispute", dispute, dispute.status, dispute.reason, open.map(([outcome, text]) =>
    button(charge, text, `disputes/${dispute.id}`, { outcome }, (made) => `Dispute over ${money(made.amount, made.currency)}: ${words(made.status)}.`)));
}

function warningItem(warning) {
  const status = warning.actionable ? "actionable" : "past";
  return item("Early fraud warning", warning, status, warning.fraud_type, []);
}

function item(what, object, status, why, buttons) {
  const amount = object.amount ? ` ${money(object.amount, object.currency)}` : "";
  return h("li", { class: "rule" },
    h("span", {},
      h("strong", {}, `${what}${amount}`), " ", badge(TONES[status] ?? "wait", words(status)),
      h("br"), h("span", { class: "mono" }, object.id), why ? ` ${words(why)}` : null,
    ),
    buttons.length ? h("span", { class: "buttons" }, buttons) : null,
  );
}

function button(charge, text, path, body, sentence) {
  const press = (click) => act(click.currentTarget, charge.id, path, body, sentence);
  return h("button", { type: "button", class: "quiet", click: press }, text);
}

function select(name, options, chosen) {
  return h("select", { name }, options.map(([value, text]) =>
    h("option", { value, selected: value === chosen }, text)));
}

function words(name) {
  return name.replaceAll("_", " ");
}
