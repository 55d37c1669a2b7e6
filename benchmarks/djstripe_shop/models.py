"""A ledger such as one writes beside dj-stripe, and the handler that credits it exactly once."""

from django.db import models
from django.db.models import F
from djstripe.event_handlers import djstripe_receiver


class Payment(models.Model):
    """An order of credits, waiting for its payment intent."""

    intent_id = models.TextField(primary_key=True)
    customer_id = models.TextField()
    credits = models.BigIntegerField()


class Wallet(models.Model):
    customer_id = models.TextField(primary_key=True)
    balance = models.BigIntegerField(default=0)


class Entry(models.Model):
    payment = models.OneToOneField(Payment, models.PROTECT, primary_key=True)
    credits = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)


@djstripe_receiver("payment_intent.succeeded")
def credit(sender, event, **kwargs):
    """Inside dj-stripe's transaction, after it has mirrored the intent."""
    payment = Payment.objects.get(intent_id=event.data["object"]["id"])
    _, new = Entry.objects.get_or_create(payment=payment, defaults={"credits": payment.credits})
    if new:
        wallets = Wallet.objects.filter(customer_id=payment.customer_id)
        wallets.update(balance=F("balance") + payment.credits)
