"""The calls that unhappy answers ask for, for Today."""

from customers.work.settling import settled_by_a_talk

settled_by_a_talk("answer")
