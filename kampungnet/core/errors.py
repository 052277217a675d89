"""Errors that mean something to the caller. Everything else is a defect and becomes a 500.

Problem (status, one sentence)
├── BadInput        400  what came cannot be understood
├── NotSignedIn     401  who are you?
├── NotAllowed      403  we know you, and no
├── NotFound        404  not there, or not yours to know about
├── TooSlow         408  the request did not come in time
├── Conflict        409  the same name with another content
├── TooLarge        413  more than we read
├── Unprocessable   422  understood, and wrong
├── TooMany         429  slow down
└── Unavailable     503  try again; nothing was stored
"""

from typing import Self


class Problem(Exception):
    """A refusal with an HTTP status and one sentence that says what to do next."""

    status = 500

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def as_value(self) -> Self:
        """Return it as an answer that is handed on, without the frames it was raised in.

        They hold all that was being read, and whoever keeps the answer stands among them: a circle of megabytes.
        """
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self


class BadInput(Problem):
    """What came cannot be understood."""

    status = 400


class NotSignedIn(Problem):
    """Nobody we know."""

    status = 401


class NotAllowed(Problem):
    """Known, and not permitted."""

    status = 403


class NotFound(Problem):
    """Not there, or not yours to know about."""

    status = 404


class TooSlow(Problem):
    """The request did not come in time."""

    status = 408


class Conflict(Problem):
    """The same key with another content."""

    status = 409


class TooLarge(Problem):
    """More bytes than we read."""

    status = 413


class Unprocessable(Problem):
    """Understood, and wrong."""

    status = 422


class TooMany(Problem):
    """Slow down."""

    status = 429


class Unavailable(Problem):
    """Try again later; nothing was stored."""

    status = 503
