"""The people at a customer: adding, changing, removing them, and what they agreed to."""
