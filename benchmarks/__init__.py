"""Measures LogicSpike beside named alternatives: ``make bench``, or ``python -m benchmarks --help``."""
