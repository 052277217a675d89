"""Python's search for cycles, in processes that live long or make much."""

import gc


def rest_the_collector() -> None:
    """Let Python look for cycles rarely: reports make none, and looking took up to 40 % of the time to store them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
