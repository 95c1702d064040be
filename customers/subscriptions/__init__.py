"""Subscriptions: agreed, changed, renewed, cancelled and resumed by hand (`agreeing`), or by time (`turning`)."""
