"""Health: a score from 0 to 100 of how well it stands with a customer, and why."""
