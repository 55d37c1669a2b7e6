// Faults: switching what goes wrong on and off.

import { post, read, remove } from "./api.js";
import { attempt, element, h, showList } from "./dom.js";

const KINDS = [
  { path: "faults", form: "api-fault", list: "api-faults" },
  { path: "webhook_faults", form: "webhook-fault", list: "webhook-faults" },
];
const NUMBERS = ["latency_ms", "status", "probability", "count", "seconds", "hold", "seed"];

export async function showFaults() {
  await Promise.all(KINDS.map(async ({ path, list }) => {
    const { data } = await read(path);
    const row = (fault) => rule(path, fault);
    showList(element(list), data, row, ({ id }) => id, "None: everything works.");
  }));
}

export function listenToFaults() {
  for (const { path, form } of KINDS) {
    const node = element(form);
    node.addEventListener("change", () => showFieldsOf(node));
    node.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(event.submitter, async () => {
        await post(path, description(node));
        await showFaults();
        return "The fault is on.";
      });
    });
    showFieldsOf(node);
  }
}

// Each kind of fault has its own further fields; the others are neither shown nor sent.
function showFieldsOf(form) {
  const kind = form.elements.kind.value;
  for (const label of form.querySelectorAll("[data-for]")) {
    label.hidden = label.dataset.for !== kind;
    label.querySelector("input, select").disabled = label.hidden;
  }
}

function description(form) {
  const fault = {};
  for (const [name, value] of new FormData(form)) {
    if (value === "") continue;
    if (NUMBERS.includes(name)) fault[name] = Number(value);
    else if (name === "after") fault.after = true;
    else if (name === "should_retry") fault.should_retry = value === "true";
    else fault[name] = value;
  }
  return fault;
}

function rule(path, fault) {
  const off = (event) => attempt(event.currentTarget, async () => {
    await remove(`${path}/${fault.id}`);
    await showFaults();
    return "The fault is off.";
  });
  const where = fault.path ? `${fault.method ?? "any method"} ${fault.path}` : fault.type;
  return h("li", { class: "rule" },
    h("span", {}, h("strong", {}, fault.kind.replaceAll("_", " ")), ` ${details(fault)}`, h("br"), h("span", { class: "mono" }, where)),
    h("button", { type: "button", class: "quiet", "aria-label": `Switch off ${fault.kind}, ${where}`, click: off }, "Switch off"),
  );
}

function details(fault) {
  const own = {
    latency: () => `${fault.latency_ms} ms`,
    status: () => `${fault.status}${fault.after ? " after executing" : ""}`,
    late: () => `by ${fault.seconds} s`,
    shuffled: () => `in batches of ${fault.hold}, seed ${fault.seed}`,
  }[fault.kind]?.();
  const chance = fault.probability < 1 ? `with probability ${fault.probability}` : null;
  const left = fault.count === null ? null : `${fault.count} times more`;
  return [own, chance, left, `struck ${fault.hits} times so far`].filter(Boolean).join(", ");
}
