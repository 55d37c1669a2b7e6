// Main: one section at a time, kept up to date while the page is looked at.

import { read } from "./api.js";
import { showCards } from "./cards.js";
import { listenToClock, showClock } from "./clock.js";
import { element, moment, notify } from "./dom.js";
import { showEvents } from "./events.js";
import { listenToFaults, showFaults } from "./faults.js";
import { showObjects } from "./objects.js";
import { showPayments } from "./payments.js";

const REFRESH_MS = 2000;
const SECTIONS = {
  events: showEvents,
  payments: showPayments,
  objects: showObjects,
  clock: showClock,
  faults: showFaults,
  cards: showCards,
  connect: () => {},
};

let lost = false;

async function refresh() {
  try {
    const state = await read("state");
    element("now").textContent = moment(state.clock.now);
    await SECTIONS[currentSection()](state, refresh);
    if (lost) notify("");
    lost = false;
  } catch (failure) {
    lost = true;
    notify(failure.message, true);
  }
}

function currentSection() {
  const name = window.location.hash.slice(1);
  return Object.hasOwn(SECTIONS, name) ? name : "events";
}

function showSection() {
  const current = currentSection();
  for (const name of Object.keys(SECTIONS)) element(name).hidden = name !== current;
  for (const link of document.querySelectorAll("#sections a")) {
    if (link.hash === `#${current}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  notify("");
  void refresh();
}

async function keepFresh() {
  if (!document.hidden) await refresh();
  window.setTimeout(keepFresh, REFRESH_MS);
}

listenToClock(refresh);
listenToFaults();
element("events-filter").addEventListener("submit", (event) => {
  event.preventDefault();
  void refresh();
});
element("objects-filter").addEventListener("change", () => void refresh());
window.addEventListener("hashchange", showSection);
showSection();
window.setTimeout(keepFresh, REFRESH_MS);
