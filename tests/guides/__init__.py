"""The guides under ``docs/panduan``: their pictures, what is printed, and tests that they say what is there."""
