"""Which village shows what: some are in trouble on purpose, and some have devices that the others lack."""

import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Final

import msgspec

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.demo.boxes import Box
from kampungnet.devices import onus
from kampungnet.villages import service as villages

ENOUGH_VILLAGES: Final = 6
DARK_MS: Final = 3 * 3_600_000
"""How long the dark box has been without power when the demo begins."""
_LONG_SECONDS: Final = 30 * 86_400
_OLT: Final = "zte-c300:20"
_DISTRICT: Final = len("35.10.01")


@dataclass(frozen=True, slots=True)
class Cast:
    """The codes of all villages in order, and of those with a part; empty when there are too few to spare any."""

    codes: tuple[str, ...]
    dark: str = ""
    """Its box has no power."""
    fibre: str = ""
    """Its fibre is cut."""
    ageing: str = ""
    """A connector of its fibre loses light, week by week."""
    silent: str = ""
    """Its ONT answers nothing, but the OLT sees it."""
    extras: str = ""
    """It has a camera and an access point."""
    olt: str = ""
    """Its box asks the provider's OLT; its own ONT is seen from both ends."""

    def by_interest(self) -> list[str]:
        """Return all villages, those with a part first: theirs is the past a visitor looks for."""
        playing = {self.dark, self.fibre, self.ageing, self.silent, self.extras, self.olt}
        return sorted(self.codes, key=lambda code: code not in playing)

    def past(self, since_ms: int) -> list[str]:
        """Return what the simulator is told of these villages, live and of the past; the connector ages since then."""
        if not self.dark:
            return []
        since = clock.local(since_ms, clock.WIB).isoformat()
        return ["--silent-ont", self.silent, "--ageing", f"{self.ageing}={since}"]

    def present(self) -> list[str]:
        """Return what the simulator shall run beside routers and ONTs."""
        return ["--cameras", self.extras, "--access-points", self.extras, "--olt", _OLT] if self.dark else []

    def onus_for(self, boxes: Iterable[Box]) -> list[str]:
        """Return the serial numbers that are asked of the OLT: the last of them is nobody's yet."""
        serials = {box.village: box.olt.serial for box in boxes if box.olt}
        return [serials[code] for code in (self.silent, self.olt, self.codes[1])] if serials else []

    def assign_onus(self, database: Database, serials: list[str]) -> None:
        """Say whose the ONUs are, as ``kampungnet onu`` does."""
        with database.writes() as db:
            for code, serial in zip((self.silent, self.olt), serials, strict=False):
                onus.assign(db, villages.village(db, code), serial, "demo", clock.now_ms())

    def cut_fibre(self, boxes: Iterable[Box]) -> None:
        """Cut the fibre in the simulator, over its control socket."""
        for box in boxes:
            if box.village == self.fibre:
                fault = {"village": box.village, "fault": "cut_fibre", "seconds": _LONG_SECONDS}
                request = urllib.request.Request(f"{box.control}/faults", msgspec.json.encode(fault), method="POST")  # noqa: S310 -- our own loopback address
                urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 -- our own loopback address

    def told(self, names: dict[str, str]) -> str:
        """Return one line for each part."""
        if not self.dark:
            return "All of them work."
        parts = (
            (self.fibre, "its fibre is cut"),
            (self.dark, "its box has no power"),
            (self.ageing, "its light fades: the page says when the line will fail"),
            (self.silent, "its ONT tells nothing; the provider's OLT does"),
            (self.olt, "its ONT and the OLT both tell; one more ONU waits at /onu"),
            (self.extras, "a camera and an access point beside router and ONT"),
        )
        wide = max(len(names[code]) for code, _ in parts)
        return "\n".join(["On purpose:", *(f"    {names[code]:<{wide}}  {what}" for code, what in parts)])


def choose(codes: Iterable[str], number: int) -> Cast:
    """Choose ``number`` villages, each kecamatan giving one in turn, and their parts."""
    districts = [list(found) for _, found in groupby(sorted(codes), key=lambda code: code[:_DISTRICT])]
    turns = (code for turn in zip_longest(*districts) for code in turn if code)
    chosen = tuple(sorted(code for code, _ in zip(turns, range(number), strict=False)))
    if len(chosen) < ENOUGH_VILLAGES:
        return Cast(chosen)
    olt, extras, dark, fibre, ageing, silent = (chosen[len(chosen) * sixth // 6] for sixth in range(6))
    return Cast(chosen, dark=dark, fibre=fibre, ageing=ageing, silent=silent, extras=extras, olt=olt)
