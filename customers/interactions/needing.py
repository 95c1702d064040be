"""The tasks that come of interactions, for Today: a next step, and an answer to whoever mentioned somebody."""

from customers.work.settling import settled_at

for origin in ("interaction", "mention"):
    settled_at(origin, "customers:interaction")
