// Challenge: the modal in which the customer proves to the (pretended) bank who they are.

// Opens the 3-D Secure page over the shop; resolves when the customer has answered it.
function openChallenge(clientSecret) {
  const path = `/_3ds/${encodeURIComponent(intentId(clientSecret))}`;
  const frame = new Frame(path, { client_secret: clientSecret, embedded: "1" }, "Card authentication");
  const dialog = buildDialog(frame);
  const release = keepOpen(dialog);
  return new Promise((resolve) => {
    const close = () => {
      release();
      dialog.close(); // gives the focus back to where it was
      dialog.remove();
      frame.remove();
      resolve();
    };
    frame.on("answered", close);
    frame.opened.catch(close); // unreachable: the intent's own status tells the rest
    document.body.append(dialog);
    frame.attach(dialog);
    dialog.showModal();
    frame.on("open", () => frame.iframe.focus());
  });
}

function intentId(clientSecret) {
  return clientSecret.slice(0, clientSecret.indexOf("_secret_"));
}

// A modal <dialog> keeps focus inside and everything else inert without any code of ours.
function buildDialog(frame) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Card authentication");
  Object.assign(dialog.style, {
    position: "fixed", inset: "0", width: "100%", height: "100%", maxWidth: "none",
    maxHeight: "none", margin: "0", padding: "0", border: "0", background: "transparent",
    overflow: "hidden",
  });
  Object.assign(frame.iframe.style, {
    display: "block", width: "100%", height: "100%", colorScheme: "light dark",
  });
  return dialog;
}

// Escape must not end a payment: browsers close a dialog on the second Escape whatever we say,
// so it is simply shown again while the question is open.
function keepOpen(dialog) {
  const refuse = (event) => event.preventDefault();
  const reopen = () => dialog.showModal();
  dialog.addEventListener("cancel", refuse);
  dialog.addEventListener("close", reopen);
  return () => dialog.removeEventListener("close", reopen);
}
