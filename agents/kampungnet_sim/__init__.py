"""A whole kabupaten of village offices on loopback, for tests, demos and benchmarks.

The package imports nothing of KampungNet: it and the drivers must not share a mistake.
"""
