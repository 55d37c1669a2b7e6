// Frame: an iframe from fakestripe's own origin, and the conversation with it by postMessage.
//
// Card data and API calls live in the frame; this page sees neither numbers nor keys' answers
// beyond what Stripe.js returns. Every message is checked for its window and its origin.

const STRIPE_ORIGIN = new URL(document.currentScript.src).origin;
const FRAME_DEADLINE_MS = 10_000; // a frame that has not spoken by then is blocked or unreachable

let frameCount = 0;

class Frame {
  constructor(path, query, title) {
    frameCount += 1;
    this.name = `__privateStripeFrame${frameCount}`;
    this.waiting = new Map();
    this.listeners = new Map();
    this.requestCount = 0;
    this.opened = new Promise((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
    this.opened.catch(() => {}); // reported through every request that waits for it
    this.iframe = this.buildIframe(path, query, title);
    this.onMessage = (event) => this.receive(event);
    window.addEventListener("message", this.onMessage);
  }

  buildIframe(path, query, title) {
    const url = new URL(path, STRIPE_ORIGIN);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    url.searchParams.set("frame", this.name);
    url.searchParams.set("parent", window.location.origin);
    const iframe = document.createElement("iframe");
    iframe.name = this.name;
    iframe.title = title;
    iframe.src = url.href;
    iframe.referrerPolicy = "no-referrer";
    iframe.style.border = "0";
    return iframe;
  }

  attach(parent) {
    this.deadline = window.setTimeout(() => {
      this.fail({
        type: "api_connection_error",
        message: `The payment form could not be loaded from ${STRIPE_ORIGIN}.`,
      });
    }, FRAME_DEADLINE_MS);
    parent.append(this.iframe);
  }

  receive(event) {
    if (event.source !== this.iframe.contentWindow || event.origin !== STRIPE_ORIGIN) return;
    const message = event.data;
    if (!message || message.frame !== this.name) return;
    if (message.kind === "reply") this.settle(message);
    else if (message.kind === "event") this.announce(message);
  }

  announce({ event, detail }) {
    if (event === "open") {
      window.clearTimeout(this.deadline);
      this.open();
    }
    this.listeners.get(event)?.(detail);
  }

  settle({ id, result, failure }) {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (!waiting) return;
    if (failure) waiting.reject(new IntegrationError(failure));
    else waiting.resolve(result);
  }

  on(event, listener) {
    this.listeners.set(event, listener);
  }

  // Ask the frame to do something; resolves with its answer, waits until the frame is loaded.
  async request(action, payload = {}) {
    await this.opened;
    this.requestCount += 1;
    const id = this.requestCount;
    const answer = new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
    });
    const message = { frame: this.name, kind: "request", id, action, payload };
    this.iframe.contentWindow.postMessage(message, STRIPE_ORIGIN);
    return answer;
  }

  remove() {
    window.clearTimeout(this.deadline);
    window.removeEventListener("message", this.onMessage);
    this.iframe.remove();
    const gone = { type: "api_connection_error", message: "The payment form was removed from the page." };
    this.fail(gone);
    for (const { resolve } of this.waiting.values()) resolve({ error: gone });
    this.waiting.clear();
  }
}

// The hidden frame that makes API calls which belong to no element.
function openController(publishableKey) {
  const frame = new Frame("/_elements/controller", {}, "Stripe stand-in: connection");
  frame.iframe.setAttribute("aria-hidden", "true");
  frame.iframe.tabIndex = -1;
  Object.assign(frame.iframe.style, {
    position: "fixed", top: "-1px", left: "-1px", width: "1px", height: "1px",
    opacity: "0", pointerEvents: "none",
  });
  frame.on("open", () => void frame.request("init", { publishableKey }));
  if (document.body) frame.attach(document.body);
  else document.addEventListener("DOMContentLoaded", () => frame.attach(document.body), { once: true });
  return frame;
}

// A frame that cannot be reached answers like a lost connection, not by an exception.
async function askFrame(frame, action, payload) {
  try {
    return await frame.request(action, payload);
  } catch (failure) {
    if (failure instanceof Error) throw failure;
    return { error: failure };
  }
}
