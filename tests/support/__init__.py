"""Helpers of the tests that are too long for a fixture."""
