"""Changing many rows of a list at once: told beforehand, written to history, taken back."""
