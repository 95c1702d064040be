"""Renewals: what comes up when, what is expected of each, and the board that shows it."""
