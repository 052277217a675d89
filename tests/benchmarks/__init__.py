"""The figures of the README: ``python -m tests.benchmarks [NAME] [--write]``, or ``make bench ONLY=name``."""
