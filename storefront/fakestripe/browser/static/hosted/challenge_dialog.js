// Challenge dialog: the bank's 3-D Secure page as a modal over a page of fakestripe's own.

const FRAME = "hostedChallenge";

// Resolves when the customer has answered; what the answer was is the server's to say.
export function challenge(clientSecret) {
  const dialog = build(address(clientSecret));
  return new Promise((resolve) => {
    const reopen = () => dialog.showModal(); // Escape must not end a payment
    const receive = ({ source, origin, data }) => {
      const frame = dialog.querySelector("iframe");
      if (source !== frame.contentWindow || origin !== window.location.origin) return;
      if (data?.frame !== FRAME || data.kind !== "event") return;
      if (data.event === "open") frame.focus();
      if (data.event === "answered") close();
    };
    const close = () => {
      window.removeEventListener("message", receive);
      dialog.removeEventListener("close", reopen);
      dialog.close();
      dialog.remove();
      resolve();
    };
    window.addEventListener("message", receive);
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", reopen);
    document.body.append(dialog);
    dialog.showModal();
  });
}

function address(clientSecret) {
  const id = clientSecret.slice(0, clientSecret.indexOf("_secret_"));
  const url = new URL(`/_3ds/${encodeURIComponent(id)}`, window.location.origin);
  const query = { client_secret: clientSecret, embedded: "1", frame: FRAME, parent: window.location.origin };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

function build(source) {
  const dialog = document.createElement("dialog");
  dialog.className = "challenge";
  dialog.setAttribute("aria-label", "Card authentication");
  const frame = document.createElement("iframe");
  frame.title = "Card authentication";
  frame.src = source;
  frame.referrerPolicy = "no-referrer";
  dialog.append(frame);
  return dialog;
}
