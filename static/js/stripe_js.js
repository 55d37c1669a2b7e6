// Stripe.js is loaded from here rather than by a tag, so that a script which is blocked, or never
// arrives, is noticed and told.

const TIMEOUT_MS = 15_000;

export function loadStripeJs(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const timer = setTimeout(() => reject(new Error("timed out")), TIMEOUT_MS);
    script.onload = () => {
      clearTimeout(timer);
      if (window.Stripe) resolve(window.Stripe);
      else reject(new Error("no Stripe in it"));
    };
    script.onerror = () => {
      clearTimeout(timer);
      reject(new Error("not loaded"));
    };
    script.src = url;
    document.head.append(script);
  });
}
