"""Measuring what the product does against the bare work below it: `make bench`, results in docs/benchmarks.md."""
