"""Every recording of a real device that we know of, replayed over the real protocol and read by the real driver."""
