"""Billing: the catalogue, discounts, Checkout, subscriptions, invoices and the Customer Portal.

Pages of the stand-in call `checkout_page`, `portal_page` and `invoice_page`, each function in a
transaction of its own; everything else here serves `/v1`.
"""
