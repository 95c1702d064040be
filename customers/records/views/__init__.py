"""Thin views of the customers' pages."""
