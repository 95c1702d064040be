"""Model-free helpers that every room may use."""
