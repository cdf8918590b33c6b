"""Benchmarks: they print figures, and none of them is a test."""
