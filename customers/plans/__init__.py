"""Success plans: drawn up, agreed, followed and shared with the customer."""
