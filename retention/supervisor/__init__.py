"""Runs the whole product on one machine: `python -m retention.supervisor`, which is what `make run` does.

It brings the database up to date, loads the demo workspace into an empty one, and keeps web, worker and beat running
until it is told to stop.
"""
