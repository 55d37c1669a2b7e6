// PaymentElement: the element object a page mounts; the fields themselves live in its frame.

const ELEMENT_EVENTS = [
  "ready", "change", "focus", "blur", "escape", "loaderror", "loaderstart",
  "savedpaymentmethodremove", "savedpaymentmethodupdate",
];
const ELEMENT_OPTIONS = [
  "applePay", "business", "defaultValues", "fields", "layout", "paymentMethodOrder", "readOnly",
  "savedPaymentMethod", "terms", "wallets",
];
const FOCUS_RING_PX = 4; // room for the focus ring of fields at the frame's edge

class PaymentElement {
  constructor(elements, options) {
    warnAboutUnknown("elements.create()", options, ELEMENT_OPTIONS);
    this._elements = elements;
    this._options = options;
    this._handlers = new Map(ELEMENT_EVENTS.map((name) => [name, []]));
    this._frame = null;
    this._destroyed = false;
  }

  mount(target) {
    if (this._destroyed) {
      throw new IntegrationError("This Element has already been destroyed. Please create a new one.");
    }
    const node = findMountPoint(target);
    this.unmount();
    node.replaceChildren();
    this._frame = this._openFrame();
    this._emit("loaderstart", { elementType: "payment" });
    this._frame.attach(node);
    this._frame.opened.catch((error) => {
      if (this._frame) this._emit("loaderror", { elementType: "payment", error });
    });
    return this;
  }

  _openFrame() {
    const frame = new Frame("/_elements/payment", {}, "Secure payment input frame");
    Object.assign(frame.iframe.style, {
      display: "block", width: `calc(100% + ${2 * FOCUS_RING_PX}px)`, margin: `-${FOCUS_RING_PX}px`,
      height: "1px", maxWidth: "none", userSelect: "none", transform: "translate(0)",
      colorScheme: this._elements._scheme(),
    });
    frame.on("open", () => void this._initialise(frame));
    frame.on("height", ({ pixels }) => {
      frame.iframe.style.height = `${pixels}px`;
    });
    for (const name of ELEMENT_EVENTS) {
      frame.on(name, (detail) => this._hear(name, detail));
    }
    return frame;
  }

  async _initialise(frame) {
    const answer = await askFrame(frame, "init", {
      publishableKey: this._elements._publishableKey,
      group: this._elements._group,
      element: this._options,
      refusesTerminalIntents: supports("clover"),
      defaultLayout: supports("basil") ? "accordion" : "tabs",
    });
    if (frame !== this._frame) return;
    if (answer.error) {
      this._emit("loaderror", { elementType: "payment", error: publicError(answer.error) });
    } else {
      this._emit("ready", { elementType: "payment" });
    }
  }

  _hear(name, detail) {
    if (name === "change") this._elements._changed();
    this._emit(name, { elementType: "payment", ...detail });
  }

  _emit(name, detail) {
    for (const handler of [...this._handlers.get(name)]) handler(detail);
  }

  _requireFrame(call) {
    if (!this._frame) {
      throw new IntegrationError(
        `We could not retrieve data from the specified Element. Please make sure the Element you ` +
          `are attempting to use is still mounted before ${call}.`,
      );
    }
    return this._frame;
  }

  on(event, handler) {
    this._handlersOf(event).push(handler);
    return this;
  }

  once(event, handler) {
    const single = (detail) => {
      this.off(event, single);
      handler(detail);
    };
    single.original = handler;
    return this.on(event, single);
  }

  off(event, handler) {
    const kept = handler
      ? this._handlersOf(event).filter((known) => known !== handler && known.original !== handler)
      : [];
    this._handlers.set(event, kept);
    return this;
  }

  _handlersOf(event) {
    const handlers = this._handlers.get(event);
    if (!handlers) throw new IntegrationError(`payment Elements have no event named ${describe(event)}.`);
    return handlers;
  }

  update(options = {}) {
    warnAboutUnknown("element.update()", options, ELEMENT_OPTIONS);
    this._options = { ...this._options, ...options };
    if (this._frame) void askFrame(this._frame, "updateElement", { element: this._options });
    return this;
  }

  focus() {
    const frame = this._requireFrame("calling focus()");
    frame.iframe.focus();
    void askFrame(frame, "focus");
    return this;
  }

  blur() {
    void askFrame(this._requireFrame("calling blur()"), "blur");
    this._frame.iframe.blur();
    return this;
  }

  clear() {
    void askFrame(this._requireFrame("calling clear()"), "clear");
    return this;
  }

  collapse() {
    void askFrame(this._requireFrame("calling collapse()"), "collapse");
    return this;
  }

  unmount() {
    const frame = this._frame;
    this._frame = null;
    frame?.remove();
    return this;
  }

  destroy() {
    this.unmount();
    this._destroyed = true;
    this._elements._forget(this);
    return this;
  }
}

function findMountPoint(target) {
  if (target instanceof HTMLElement) return target;
  const node = typeof target === "string" ? document.querySelector(target) : null;
  if (node) return node;
  throw new IntegrationError(
    `The selector you specified (${describe(target)}) applies to no DOM elements that are currently ` +
      "on the page.\nMake sure the element exists on the page before calling mount().",
  );
}
