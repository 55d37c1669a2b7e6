// Endpoints: where events go, whether they do, and a switch.

import { post } from "./api.js";
import { attempt, badge, element, h, moment, showList } from "./dom.js";

export function showEndpoints(endpoints, refresh) {
  const empty = "No webhook endpoint is registered.";
  showList(element("endpoints"), endpoints, (endpoint) => row(endpoint, refresh), ({ id }) => id, empty);
}

function row({ id, url, status, failing_since: since }, refresh) {
  const enabled = status === "enabled";
  const verb = enabled ? "Disable" : "Enable";
  const press = (click) => attempt(click.currentTarget, async () => {
    await post(`webhook_endpoints/${id}/${verb.toLowerCase()}`);
    await refresh();
    return enabled ? `${url} is disabled: what happens now is never sent to it.` : `${url} is enabled.`;
  });
  return h("li", { class: "rule" },
    h("span", {}, "Endpoint ", h("span", { class: "mono" }, url), " ", badge(enabled ? "good" : "bad", status), failing(enabled, since)),
    h("button", { type: "button", class: "quiet", "aria-label": `${verb} ${url}`, click: press }, verb),
  );
}

function failing(enabled, since) {
  return enabled && since ? h("span", { class: "wait" }, ` no 2xx since ${moment(since)}; after 7 days of that it is disabled`) : null;
}
