// API: the JSON under /_control/ that this page shows and changes.

export class ControlError extends Error {}

export const read = (path, query = {}) => call("GET", path, { query });
export const post = (path, body = {}) => call("POST", path, { body });
export const remove = (path) => call("DELETE", path);

// Resolves with the parsed answer; throws ControlError with a sentence for people.
async function call(method, path, { query = {}, body } = {}) {
  const url = new URL(`/_control/${path}`, window.location.origin);
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  const request = { method, cache: "no-store" };
  if (body) {
    request.body = JSON.stringify(body);
    request.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(url, request).catch(() => {
    throw new ControlError("fakestripe does not answer. Is it still running?");
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ControlError(sentence(answer, response.status));
  return answer;
}

function sentence(answer, status) {
  const error = answer.error;
  return (typeof error === "string" ? error : error?.message) ?? `fakestripe answered ${status}.`;
}
