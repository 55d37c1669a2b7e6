// Summary: changes to what is bought, without losing what is typed into the card form.
//
// Every form[data-refresh] works without this script too: it posts and the page comes back. Here
// the answer's parts marked data-live replace those of the page.

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-refresh]")) return;
  event.preventDefault();
  void refresh(event.target, event.submitter);
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-step]");
  if (!button) return;
  const input = button.form.elements.quantity;
  if (button.dataset.step === "up") input.stepUp();
  else input.stepDown();
  button.form.requestSubmit();
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("form[data-refresh] input[type=number]")) target.form.requestSubmit();
});

document.addEventListener("toggle", ({ target }) => {
  if (target.matches(".promotion[open]")) target.querySelector("input").focus();
}, true);

async function refresh(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const response = await fetch(form.action, { method: "POST", body, cache: "no-store" }).catch(() => null);
  if (!response) {
    document.getElementById("problem").textContent = "The page could not reach fakestripe. Is it still running?";
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = [...page.querySelectorAll("[data-live]")];
  if (!fresh.length) window.location.reload(); // the session has ended meanwhile: the page says so
  const focused = document.activeElement?.id;
  for (const part of fresh) {
    // Buttons arrive disabled, for pay.js to enable; it listens to their form already.
    for (const button of part.querySelectorAll("[type=submit]")) button.disabled = false;
    document.getElementById(part.id)?.replaceWith(document.adoptNode(part));
  }
  sync(document.querySelector(".card-form"), page.querySelector(".card-form"));
  (document.getElementById(focused) ?? document.getElementById("summary")).focus({ preventScroll: true });
}

// A total of nothing asks for no card; what was typed stays.
function sync(card, fresh) {
  if (card && fresh) Object.assign(card, { hidden: fresh.hidden, disabled: fresh.disabled });
}
