// Card: brands, grouping and checks of numbers, expiry dates and security codes. No DOM here.

const BRANDS = [
  { name: "amex", pattern: /^3[47]/, groups: [4, 6, 5], lengths: [15], cvc: 4 },
  { name: "diners", pattern: /^(36|38|39|30[0-5])/, groups: [4, 6, 4], lengths: [14, 16], cvc: 3 },
  { name: "jcb", pattern: /^35(2[89]|[3-8])/, groups: [4, 4, 4, 4], lengths: [16], cvc: 3 },
  { name: "visa", pattern: /^4/, groups: [4, 4, 4, 4], lengths: [16], cvc: 3 },
  { name: "mastercard", pattern: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, groups: [4, 4, 4, 4], lengths: [16], cvc: 3 },
  { name: "discover", pattern: /^(6011|64[4-9]|65)/, groups: [4, 4, 4, 4], lengths: [16], cvc: 3 },
  { name: "unionpay", pattern: /^(62|81)/, groups: [4, 4, 4, 4, 3], lengths: [16, 17, 18, 19], cvc: 3 },
];
const UNKNOWN = { name: "unknown", groups: [4, 4, 4, 4], lengths: [16], cvc: 3 };
const FARTHEST_EXPIRY_YEARS = 50;

export function brandOf(text) {
  const digits = digitsOf(text);
  return BRANDS.find((brand) => brand.pattern.test(digits)) ?? UNKNOWN;
}

export function digitsOf(text) {
  return text.replace(/\D/g, "");
}

export function formatNumber(text) {
  const brand = brandOf(text);
  const digits = digitsOf(text).slice(0, Math.max(...brand.lengths));
  const longer = brand.name === "diners" && digits.length > 14;
  const groups = longer ? [4, 4, 4, 4] : brand.groups;
  const parts = [];
  let start = 0;
  for (const size of groups) {
    if (start < digits.length) parts.push(digits.slice(start, start + size));
    start += size;
  }
  return parts.join(" ");
}

// "1" stays "1", "5" becomes "05 / ", "12" becomes "12 / ", "12/2034" becomes "12 / 34".
export function formatExpiry(text) {
  const [first, second] = text.split("/");
  let month = digitsOf(first);
  let year = digitsOf(second ?? "");
  if (second === undefined && month.length > 2) [month, year] = [month.slice(0, 2), month.slice(2)];
  if (/^[2-9]/.test(month) || (second !== undefined && month.length === 1)) {
    year = month.slice(1) + year;
    month = `0${month[0]}`;
  }
  if (year.length === 4) year = year.slice(2);
  if (month.length < 2) return month;
  return `${month} / ${year.slice(0, 2)}`;
}

export function formatCvc(text, numberText) {
  return digitsOf(text).slice(0, numberText ? brandOf(numberText).cvc : 4);
}

export function checkNumber(text) {
  const digits = digitsOf(text);
  const brand = brandOf(digits);
  if (!brand.lengths.includes(digits.length)) {
    return { code: "incomplete_number", message: "Your card number is incomplete." };
  }
  if (brand === UNKNOWN || !passesLuhn(digits)) {
    return { code: "invalid_number", message: "Your card number is invalid." };
  }
  return null;
}

export function checkExpiry(text, today = new Date()) {
  const { month, year } = parseExpiry(text);
  if (!year || month < 1 || month > 12) {
    return { code: "incomplete_expiry", message: "Your card's expiration date is incomplete." };
  }
  const thisYear = today.getFullYear();
  if (year < thisYear) {
    return { code: "invalid_expiry_year_past", message: "Your card's expiration year is in the past." };
  }
  if (year === thisYear && month < today.getMonth() + 1) {
    return { code: "invalid_expiry_month_past", message: "Your card's expiration date is in the past." };
  }
  if (year > thisYear + FARTHEST_EXPIRY_YEARS) {
    return { code: "invalid_expiry_year", message: "Your card's expiration year is invalid." };
  }
  return null;
}

export function checkCvc(text, numberText) {
  const wanted = brandOf(numberText).cvc;
  if (digitsOf(text).length === wanted) return null;
  return { code: "incomplete_cvc", message: "Your card's security code is incomplete." };
}

// Two-digit years belong to this century; year is 0 while it is incomplete.
export function parseExpiry(text) {
  const digits = digitsOf(text);
  return { month: Number(digits.slice(0, 2)), year: digits.length === 4 ? 2000 + Number(digits.slice(2)) : 0 };
}

function passesLuhn(digits) {
  let sum = 0;
  [...digits].reverse().forEach((digit, place) => {
    const value = Number(digit) * (place % 2 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return sum % 10 === 0;
}
