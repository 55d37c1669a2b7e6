// Channel: this frame's conversation with the page that embeds it, and with nobody else.

const query = new URLSearchParams(window.location.search);
const frameName = query.get("frame");
const parentOrigin = query.get("parent");

// Browsers that tell who embeds us must agree with what the address says.
function embedderIsKnown() {
  const actual = window.location.ancestorOrigins?.[0];
  return window.parent !== window && Boolean(parentOrigin) && (actual ?? parentOrigin) === parentOrigin;
}

function post(message) {
  if (embedderIsKnown()) window.parent.postMessage({ frame: frameName, ...message }, parentOrigin);
}

export function announce(event, detail = {}) {
  post({ kind: "event", event, detail });
}

// Answers the page's requests with the given functions: action name -> (payload) -> result.
export function answerWith(actions) {
  window.addEventListener("message", async (event) => {
    if (event.source !== window.parent || event.origin !== parentOrigin) return;
    const { frame, kind, id, action, payload } = event.data ?? {};
    if (frame !== frameName || kind !== "request") return;
    try {
      if (!Object.hasOwn(actions, action)) throw new Error(`the frame knows no action named ${action}`);
      post({ kind: "reply", id, result: (await actions[action](payload)) ?? {} });
    } catch (failure) {
      post({ kind: "reply", id, failure: failure.message });
    }
  });
  announce("open");
}
