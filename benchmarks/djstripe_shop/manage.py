"""What a shop's operator would do; run by the benchmark in dj-stripe's environment:

migrate             make the tables and the webhook endpoint, print its path
open PREFIX COUNT   make customers, their cards, and payments that wait for their event
count               print payments, entries, credits, balances and kept exceptions
"""

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.djstripe_shop.settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models import Sum  # noqa: E402
from djstripe.models import (  # noqa: E402
    Customer,
    PaymentMethod,
    WebhookEndpoint,
    WebhookEventTrigger,
)

from benchmarks.djstripe_shop.models import Entry, Payment, Wallet  # noqa: E402

CREDITS = 1000


def migrate() -> None:
    call_command("migrate", run_syncdb=True, verbosity=0)
    endpoint = WebhookEndpoint.objects.create(
        id="we_benchmark",
        livemode=False,
        enabled_events=["*"],
        secret=os.environ["BENCH_SECRET"],
        status="enabled",
        url="https://shop.example.com/",
    )
    print(f"/stripe/webhook/{endpoint.djstripe_uuid}/")


@transaction.atomic
def open_payments(prefix: str, count: str) -> None:
    """What dj-stripe's shop knows before the event comes: it need not ask Stripe for these."""
    keys = [f"{prefix}_{n}" for n in range(int(count))]
    Customer.objects.bulk_create(Customer(id=f"cus_{key}", livemode=False) for key in keys)
    PaymentMethod.objects.bulk_create(
        PaymentMethod(id=f"pm_{key}", livemode=False, stripe_data={"type": "card"}) for key in keys
    )
    Wallet.objects.bulk_create(Wallet(customer_id=f"cus_{key}") for key in keys)
    Payment.objects.bulk_create(
        Payment(intent_id=f"pi_{key}", customer_id=f"cus_{key}", credits=CREDITS) for key in keys
    )


def count() -> None:
    credited = Entry.objects.aggregate(sum=Sum("credits"))["sum"] or 0
    balances = Wallet.objects.aggregate(sum=Sum("balance"))["sum"] or 0
    failed = WebhookEventTrigger.objects.exclude(exception="").count()
    print(Entry.objects.count(), credited, balances, failed)


if __name__ == "__main__":
    {"migrate": migrate, "open": open_payments, "count": count}[sys.argv[1]](*sys.argv[2:])
