// Talking to the shop's own server. Whatever goes wrong becomes a Problem with a sentence that
// the customer can read.

const TIMEOUT_MS = 20_000;

export class Problem extends Error {
  constructor(sentence, { status = 0 } = {}) {
    super(sentence);
    this.status = status;
  }
}

export async function postJson(url, body, csrfToken) {
  return answer(url, {
    method: "POST",
    headers: {
      "Accept": "application/json",
      "Content-Type": "application/json",
      "X-CSRFToken": csrfToken,
    },
    body: JSON.stringify(body),
  });
}

export async function getJson(url) {
  return answer(url, { headers: { "Accept": "application/json" } });
}

async function answer(url, options) {
  const response = await reach(url, options);
  const data = await readJson(response);
  if (response.ok && data) return data;
  const sentence = data?.detail ?? "The shop did not understand. Load the page again and retry.";
  throw new Problem(sentence, { status: response.status });
}

async function reach(url, options) {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await fetch(url, { ...options, credentials: "same-origin", signal });
  } catch (error) {
    throw new Problem(
      error.name === "TimeoutError"
        ? "The shop did not answer in time. Nothing was charged; please try again."
        : "The shop cannot be reached. Check your connection; nothing was charged.",
    );
  }
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}
