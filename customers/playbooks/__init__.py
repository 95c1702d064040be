"""Playbooks: tasks in an order, each on its day, started by hand or by a rule, gone through with one customer each."""
