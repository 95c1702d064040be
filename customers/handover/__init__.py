"""Handing a book over: customers with their open work go from one manager to another, with a summary."""
