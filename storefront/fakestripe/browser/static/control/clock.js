// Clock: what time fakestripe says it is, and moving it forward.

import { post, read } from "./api.js";
import { attempt, duration, element, moment } from "./dom.js";

export async function showClock(state) {
  element("clock-now").textContent = moment(state.clock.now);
  element("clock-offset").textContent = duration(state.clock.ahead_seconds);
  const select = element("dunning").elements.end;
  if (document.activeElement !== select) select.value = (await read("dunning")).end;
}

export function listenToClock(refresh) {
  const advance = (seconds) => async () => {
    await post("clock", { advance_seconds: seconds });
    await refresh();
    return `The clock has moved forward by ${duration(seconds)}.`;
  };
  element("clock-buttons").addEventListener("click", ({ target }) => {
    const seconds = Number(target.dataset.seconds);
    if (seconds) void attempt(target, advance(seconds));
  });
  element("clock-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(event.submitter, advance(Number(event.target.elements.seconds.value)));
  });
  element("dunning").addEventListener("change", ({ target }) => {
    void attempt(target, async () => {
      await post("dunning", { end: target.value });
      return "The setting is saved.";
    });
  });
}
