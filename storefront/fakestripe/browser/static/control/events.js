// Events: each with its deliveries, every attempt of them, and a way to deliver it again.

import { post, read } from "./api.js";
import { attempt, badge, duration, element, h, json, moment, showList } from "./dom.js";
import { showEndpoints } from "./endpoints.js";

const SHOWN = 50;
const DELIVERIES_READ = 500;
const TONES = { delivered: "good", failed: "bad", dropped: "bad", pending: "wait", held: "wait" };
const REASONS = { event: "Delivery", duplicate: "Second delivery (fault)", redelivery: "Redelivery" };

let now = 0;

export async function showEvents(state, refresh) {
  now = state.clock.now;
  showEndpoints(state.webhook_endpoints, refresh);
  const type = new FormData(element("events-filter")).get("type").trim();
  const [events, deliveries] = await Promise.all([
    read("events", { type, limit: SHOWN }),
    read("deliveries", { limit: DELIVERIES_READ }),
  ]);
  const items = events.data.map((event) => ({
    event,
    deliveries: deliveries.data.filter((delivery) => delivery.event === event.id).reverse(),
  }));
  const empty = type ? `No event of type ${type}.` : "Nothing has happened yet.";
  showList(element("events-list"), items, row, ({ event }) => event.id, empty);
}

function row({ event, deliveries }) {
  return h("details", {},
    h("summary", {},
      h("span", { class: "name" }, event.type),
      h("span", { class: "mono" }, event.data.object.id ?? ""),
      outcome(deliveries),
      h("span", { class: "when" }, moment(event.created)),
    ),
    h("div", { class: "detail" },
      h("div", { class: "buttons" }, redeliverButton(event, 1), redeliverButton(event, 3)),
      deliveries.length ? deliveries.map(deliverySection) : h("p", {}, "No endpoint was listening."),
      json(event, `Event ${event.id}`),
    ),
  );
}

function outcome(deliveries) {
  if (!deliveries.length) return badge("none", "no endpoint");
  const worst = ["failed", "dropped", "pending", "held", "delivered"].find((state) =>
    deliveries.some((delivery) => delivery.state === state));
  const attempts = deliveries.reduce((sum, delivery) => sum + delivery.attempts, 0);
  return badge(TONES[worst] ?? "none", `${worst} · ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`);
}

function redeliverButton(event, times) {
  const press = (click) => attempt(click.currentTarget, async () => {
    await post(`events/${event.id}/redeliver`, { times });
    return `${event.type} is being delivered again${times > 1 ? `, ${times} times` : ""}.`;
  });
  const text = times > 1 ? `Redeliver ${times} times` : "Redeliver";
  return h("button", { type: "button", class: "quiet", "data-redeliver": String(times), click: press }, text);
}

function deliverySection(delivery) {
  const { endpoint, state, reason, next_try: nextTry, tries = [] } = delivery;
  const waits = state === "pending" && nextTry > now;
  return h("div", { class: "delivery" },
    h("header", {},
      h("strong", {}, REASONS[reason] ?? reason),
      h("span", { class: "mono" }, endpoint),
      badge(TONES[state] ?? "none", state),
      waits ? h("span", { class: "wait" }, `next try at ${moment(nextTry)}, after ${duration(nextTry - (tries.at(-1)?.at ?? delivery.created))}`) : null,
    ),
    tries.length ? attemptsTable(tries) : null,
  );
}

function attemptsTable(tries) {
  const heads = ["Attempt", "At", "Took", "Answer"];
  const label = "Attempts of one delivery";
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label },
    h("table", {},
      h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, tries.map(attemptRow)),
    ),
  );
}

function attemptRow(attempted, place) {
  const good = attempted.status >= 200 && attempted.status < 300;
  const answer = attempted.status === null ? attempted.error : `${attempted.status} ${attempted.response}`;
  return h("tr", {},
    h("td", {}, String(place + 1)),
    h("td", {}, moment(attempted.at)),
    h("td", {}, `${attempted.duration_ms} ms`),
    h("td", { class: good ? "good" : "bad" }, answer.slice(0, 300)),
  );
}
