"""A throw-away merchant on an origin of its own, under the CSP that a strict shop would send."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import stripe
from flask import Flask, Response, jsonify, make_response, request
from werkzeug.serving import make_server

SECRET_KEY = "sk_test_throwawaymerchant"
PUBLISHABLE_KEY = "pk_test_throwawaymerchant"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A shop</title><link rel="icon" href="/icon.svg">
<style nonce="{nonce}">
  :root {{ color-scheme: light dark; }}
  body {{ margin: 24px auto; max-width: 480px; padding: 0 16px; font-family: system-ui; }}
</style>
</head>
<body>
<main>
  <h1>Top up</h1>
  <form id="form"><div id="payment-element"></div><button>Pay</button></form>
  <p id="result" role="status"></p>
</main>
<script nonce="{nonce}" src="{stripe}/endive/stripe.js"></script>
<script nonce="{nonce}">
const publishableKey = "{key}";
const seen = [];
let clientSecret = null;

function say(text) {{ document.getElementById("result").textContent = text; }}

function start(group, element, pay) {{
  window.client = Stripe(publishableKey);
  window.elements = client.elements(group);
  window.payment = elements.create("payment", element);
  for (const name of ["ready", "change", "focus", "blur", "escape", "loaderror", "loaderstart"]) {{
    payment.on(name, (detail) => seen.push({{name, ...detail}}));
  }}
  payment.on("ready", () => {{ document.title = "ready"; }});
  payment.on("loaderror", () => {{ document.title = "loaderror"; }});
  payment.mount("#payment-element");
  document.getElementById("form").addEventListener("submit", (event) => {{
    event.preventDefault();
    buy(pay).then((result) => {{
      window.outcome = result;
      say(result.error ? result.error.message : result.paymentIntent.status);
    }}, (thrown) => say(`${{thrown.name}}: ${{thrown.message}}`));
  }});
}}

async function buy({{intent, submits = true, redirect = "if_required"}}) {{
  say("");
  if (submits) {{
    const {{error}} = await elements.submit();
    if (error) return {{error}};
  }}
  clientSecret ??= await createIntent(intent);
  const confirmParams = {{return_url: `${{location.origin}}/done?order=7`}};
  return client.confirmPayment({{elements, clientSecret, confirmParams, redirect}});
}}

async function createIntent(intent) {{
  const headers = {{"Content-Type": "application/json"}};
  const body = JSON.stringify(intent ?? {{}});
  const answer = await fetch("/intents", {{method: "POST", headers, body}});
  return (await answer.json()).client_secret;
}}
</script>
</body>
</html>
"""


@dataclass(frozen=True)
class Shop:
    """The running merchant, and its own connection to the stand-in."""

    url: str
    client: stripe.StripeClient

    def intent(self, **params: Any) -> stripe.PaymentIntent:
        """Create a PaymentIntent over $10.00 unless told otherwise."""
        return self.client.v1.payment_intents.create(
            {"amount": 1000, "currency": "usd", "description": "1,000 credits", **params}
        )


@contextmanager
def running_shop(stripe_url: str) -> Iterator[Shop]:
    """Serve the merchant on a free port for as long as the block lasts."""
    client = stripe.StripeClient(
        SECRET_KEY, base_addresses={"api": stripe_url}, max_network_retries=0
    )
    app = Flask("merchant")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    shop = Shop(f"http://127.0.0.1:{server.server_port}", client)
    _add_routes(app, shop, stripe_url)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _add_routes(app: Flask, shop: Shop, stripe_url: str) -> None:
    @app.get("/")
    def page() -> Response:
        nonce = secrets.token_urlsafe(16)
        response = make_response(PAGE.format(nonce=nonce, stripe=stripe_url, key=PUBLISHABLE_KEY))
        response.headers["Content-Security-Policy"] = _policy(nonce, stripe_url)
        return response

    @app.post("/intents")
    def create() -> Response:
        return jsonify(client_secret=shop.intent(**request.get_json()).client_secret)

    @app.get("/done")
    def done() -> str:
        return "<!doctype html><title>done</title><link rel=icon href=/icon.svg><h1>Done</h1>"

    @app.get("/icon.svg")
    def icon() -> Response:
        return Response("<svg xmlns='http://www.w3.org/2000/svg'/>", mimetype="image/svg+xml")


def _policy(nonce: str, stripe_url: str) -> str:
    """Nothing but what Stripe documents: its scripts, its frames, its API."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}' {stripe_url}; "
        f"style-src 'self' 'nonce-{nonce}'; img-src 'self'; frame-src {stripe_url}; "
        f"connect-src 'self' {stripe_url}; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
