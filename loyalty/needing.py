"""What is to be done about an offer that was decided on, for Today."""

from customers.work.settling import settled_at

settled_at("offer", "loyalty:detail")
