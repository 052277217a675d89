"""The shelf of recordings beside the project: which file is of which kind.

A file's kind follows from the folder of the project it came from and from its ending, never from its name, because
the shelf grows: a new file of a known kind becomes a test by lying there. A file of no known kind is an error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class Kind(StrEnum):
    """What a file is, and with that who reads it."""

    ROUTEROS_ROWS = "routeros rows"
    """Rows as an API client or the REST interface showed them."""
    ROUTEROS_TERMINAL = "routeros terminal"
    """What ``print`` showed in a terminal: the rows are turned back into sentences."""
    ROUTEROS_EXPORT = "routeros export"
    """A configuration as commands. No driver reads it."""
    ROUTEROS_CONSOLE = "routeros console"
    """Which properties and commands a version knows: what our questions are checked against."""
    WIRE = "wire"
    """Vectors and short conversations of a protocol."""
    WALK = "walk"
    """An SNMP walk in the format of snmpsim."""
    WALK_EXPECTED = "walk expected"
    """What LibreNMS found in the walk of the same name."""
    CLI = "cli"
    """What a command line answered over SSH or telnet."""
    CLI_EXPECTED = "cli expected"
    """The fields that ntc-templates expects in the answer of the same name."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One file on the shelf."""

    kind: Kind
    path: Path
    name: str
    """Its path below the shelf, which is how tests and tables call it."""


class UnknownRecordingError(AssertionError):
    """A file nobody taught us to read."""


_KINDS: Final = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r".*/librenms/snmpsim/[^/]+\.snmprec", Kind.WALK),
        (r".*/librenms/(data|expected)/[^/]+\.json", Kind.WALK_EXPECTED),
        (r"ont/ntc-templates/[^/]+/[^/]+/[^/]+\.raw", Kind.CLI),
        (r"ont/ntc-templates/[^/]+/[^/]+/[^/]+\.yml", Kind.CLI_EXPECTED),
        (r"ont/cli-[^/]+/[^/]+\.txt", Kind.CLI),
        (r"routeros/restraml/[^/]+\.json", Kind.ROUTEROS_CONSOLE),
        (r"(routeros/wire/[^/]+|ont/vectors)\.json", Kind.WIRE),
        (r"routeros/(.*/)?[^/]*export[^/]*", Kind.ROUTEROS_EXPORT),
        (r"routeros/(napalm-ros|home-assistant-core|terraform[^/]*)/(.*/)?[^/]+\.json", Kind.ROUTEROS_ROWS),
        (r"routeros/ntc-templates/.*\.raw", Kind.ROUTEROS_TERMINAL),
        (r"routeros/ntc-templates/.*\.yml", Kind.CLI_EXPECTED),
        (r"routeros/community\.routeros/(.*/)?[^/.]+", Kind.ROUTEROS_TERMINAL),
    )
)
_NO_RECORDING: Final = re.compile(r"(.*/)?(README\.md|LICENSE[^/]*|[^/]+\.license|expected_result\.json)")
"""Words about recordings; napalm's expectations use its own names, the rows beside them are what counts."""


def kind_of(name: str) -> Kind:
    """Return the kind of a file by its path below the shelf."""
    for pattern, kind in _KINDS:
        if pattern.fullmatch(name):
            return kind
    raise UnknownRecordingError(f"{name} is of no known kind: say in tests/conformance/shelf.py what it is")


def recordings(shelf: Path, *kinds: Kind) -> Iterator[Recording]:
    """Yield the files of these kinds, all when none is named."""
    for path in sorted(shelf.rglob("*")):
        name = path.relative_to(shelf).as_posix()
        if path.is_dir() or _NO_RECORDING.fullmatch(name):
            continue
        kind = kind_of(name)
        if not kinds or kind in kinds:
            yield Recording(kind, path, name)
