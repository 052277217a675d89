"""The two kinds of sentence that ``check`` says."""

from kampungnet_agent.driver import Finding


def works(sentence: str) -> Finding:
    """Return what is in order."""
    return Finding(good=True, sentence=sentence)


def fails(sentence: str) -> Finding:
    """Return what is not, with what to do next."""
    return Finding(good=False, sentence=sentence)
