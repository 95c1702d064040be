"""Duplicates: finding customers who may be the same, making them one, and having two again."""
