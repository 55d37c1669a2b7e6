"""The shop seen from outside: lines of the log, figures for Prometheus, crashes for Sentry.

A leaf that every room may use, and that knows none of them. `about` says what a line is about,
`lines` renders it, `counting` counts, `serving` shows a worker's counts, `crashes` reports.
Nothing is imported here: gunicorn's master reads `lines` before it may load `counting`, which looks
at its environment for where to count.
"""
