"""What the shop is worth against what people would use instead, and against the machine's limit.

`bin/bench` runs it; docs/performance.md is the page that it makes. Not part of `bin/test`.
"""
