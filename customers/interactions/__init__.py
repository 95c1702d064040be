"""Interactions: logging what was talked about, telling colleagues of it, the files that go with it."""
