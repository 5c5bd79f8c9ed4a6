"""Measure mason beside its peers: `python -m benchmarks --help`."""
