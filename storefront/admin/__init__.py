"""What operators see and do: lists of everything, paged by key and never by offset, the story
behind one customer, payment or event, and the figures of the overview. Pages are in `web/admin`.

Nothing here asks Stripe. What operators change is written to the audit log in the same transaction
(`auditing`); refunds are ordered in `refunding`.
"""
