// Money: amounts as people write them. Intl knows how many decimals a currency has.

function formatOf(currency) {
  return new Intl.NumberFormat("en", { style: "currency", currency });
}

export function decimalsOf(currency) {
  return formatOf(currency).resolvedOptions().maximumFractionDigits;
}

// 1000 usd is $10.00, 1000 jpy is ¥1,000
export function money(amount, currency) {
  return formatOf(currency).format(amount / 10 ** decimalsOf(currency));
}

// 1000 usd is "10.00": what an input field holds
export function major(amount, currency) {
  const decimals = decimalsOf(currency);
  return (amount / 10 ** decimals).toFixed(decimals);
}

// "10.00" usd is 1000
export function minor(text, currency) {
  return Math.round(Number(text) * 10 ** decimalsOf(currency));
}
