// The name of the purchase that this tab is about. Repeats under one name are one purchase for
// the server: a reload or a lost answer cannot charge twice. Another tab has another name.

const SLOT = "storefront.order";
let kept = null; // where the browser gives no storage, the name lasts as long as the page

export function orderKey() {
  const key = read() ?? fresh();
  write(key);
  return key;
}

export function forgetOrder() {
  write(null);
}

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function read() {
  try {
    return sessionStorage.getItem(SLOT) ?? kept;
  } catch {
    return kept;
  }
}

function write(key) {
  kept = key;
  try {
    if (key === null) sessionStorage.removeItem(SLOT);
    else sessionStorage.setItem(SLOT, key);
  } catch {
    // storage is switched off; `kept` has it
  }
}
