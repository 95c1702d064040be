"""The records themselves: consent, the list of customers, one customer's page, edits."""
