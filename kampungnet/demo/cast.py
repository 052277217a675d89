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
from kampungnet.measurement import planned_work, topology
from kampungnet.measurement.planned_work import Entry
from kampungnet.staff.service import SignedIn
from kampungnet.villages import service as villages

ENOUGH_VILLAGES: Final = 6
DARK_MS: Final = 3 * 3_600_000
"""How long the dark box has been without power when the demo begins."""
_LONG_SECONDS: Final = 30 * 86_400
_ON_TRUNK: Final = 3
TRUNK_NAME: Final = "Genteng-Pesanggaran"
CUT_AFTER_DAYS: Final = 27
_CUT_MINUTES: Final = (9 * 60 + 12, 12 * 60 + 57)
"""From the past's beginning, and by the clock of that day."""
_POLL_MS: Final = 300_000
"""Between two polls of the past; the boxes spread over the first minute of it."""
_BEFORE_MS: Final = 20_000
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

    @property
    def trunk(self) -> tuple[str, ...]:
        """Those whose trunk cable was cut some days ago: their ONTs answer, and their fibre is whole by now."""
        working = (code for code in self.codes if code not in {self.dark, self.fibre, self.ageing, self.silent})
        chosen = sorted(working, key=lambda code: code in {self.extras, self.olt})[:_ON_TRUNK]
        return tuple(sorted(chosen)) if self.dark else ()

    @property
    def settings(self) -> tuple[str, ...]:
        """Those whose router's settings are read: a login of SSH costs more than all other questions."""
        return tuple(code for code in self.codes if code in {self.codes[0], self.extras})

    def by_interest(self) -> list[str]:
        """Return all villages, those with a part first: theirs is the past a visitor looks for."""
        playing = {self.dark, self.fibre, self.ageing, self.silent, self.extras, self.olt}
        return sorted(self.codes, key=lambda code: (code not in playing, code not in self.trunk))

    def past(self, since_ms: int) -> list[str]:
        """Return what the simulator is told of these villages, live and of the past; the connector ages since then."""
        if not self.dark:
            return []
        since = clock.local(since_ms, clock.WIB).isoformat()
        cut = ",".join(clock.local(_before_polls(since_ms, minute), clock.WIB).isoformat() for minute in _CUT_MINUTES)
        cuts = [f"{code}={cut}" for code in self.trunk]
        return ["--silent-ont", self.silent, "--ageing", f"{self.ageing}={since}", "--cut", *cuts]

    def present(self) -> list[str]:
        """Return what the simulator shall run beside routers and ONTs."""
        settings = ["--router-ssh", *self.settings]
        more = ["--cameras", self.extras, "--access-points", self.extras, "--olt", _OLT]
        return [*settings, *more] if self.dark else settings

    def onus_for(self, boxes: Iterable[Box]) -> list[str]:
        """Return the serial numbers that are asked of the OLT: the last of them is nobody's yet."""
        serials = {box.village: box.olt.serial for box in boxes if box.olt}
        return [serials[code] for code in (self.silent, self.olt, self.codes[1])] if serials else []

    def assign_onus(self, database: Database, serials: list[str]) -> None:
        """Say whose the ONUs are, as ``kampungnet onu`` does."""
        with database.writes() as db:
            for code, serial in zip((self.silent, self.olt), serials, strict=False):
                onus.assign(db, villages.village(db, code), serial, "demo", clock.now_ms())

    def lay_cables(self, database: Database) -> None:
        """Say which villages hang on the trunk, as ``kampungnet import-topology`` does."""
        lines = [",".join(topology.COLUMNS), *(f"{code},{TRUNK_NAME}," for code in self.trunk)]
        with database.writes() as db:
            topology.import_places(db, self.codes[0][:5], [f"{line}\n" for line in lines])

    def announce_work(self, database: Database, by: SignedIn) -> None:
        """Let an engineer announce work at the trunk in the night after tomorrow, once."""
        now_ms = clock.now_ms()
        night = clock.day_start_ms(clock.local_day(now_ms, clock.WIB), clock.WIB) + 2 * clock.DAY_MS
        first, last = (f"{clock.local(night + hour * 3_600_000, clock.WIB):%Y-%m-%dT%H:%M}" for hour in (1, 4))
        entry = Entry(first, last, self.trunk, "PT Serat Ijen", "Sambungan kabel diganti")
        with database.writes() as db:
            if self.trunk and not planned_work.listed(db, by.scope, 0):
                planned_work.enter(db, by, entry, now_ms)

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
        one_by_one = (f"    {names[code]:<{wide}}  {what}" for code, what in parts)
        trunk = f"    {', '.join(names[code] for code in self.trunk)}: their trunk cable was cut, see /gangguan"
        return "\n".join(["On purpose:", *one_by_one, trunk])


def _before_polls(since_ms: int, minute: int) -> int:
    """Return about a minute of the day of the cut, a little before all boxes poll: they shall find it together."""
    day_ms = clock.day_start_ms(clock.local_day(since_ms, clock.WIB), clock.WIB) + CUT_AFTER_DAYS * clock.DAY_MS
    polls = (day_ms + minute * 60_000 - since_ms) // _POLL_MS
    return since_ms + polls * _POLL_MS - _BEFORE_MS


def choose(codes: Iterable[str], number: int) -> Cast:
    """Choose ``number`` villages, each kecamatan giving one in turn, and their parts."""
    districts = [list(found) for _, found in groupby(sorted(codes), key=lambda code: code[:_DISTRICT])]
    turns = (code for turn in zip_longest(*districts) for code in turn if code)
    chosen = tuple(sorted(code for code, _ in zip(turns, range(number), strict=False)))
    if len(chosen) < ENOUGH_VILLAGES:
        return Cast(chosen)
    olt, extras, dark, fibre, ageing, silent = (chosen[len(chosen) * sixth // 6] for sixth in range(6))
    return Cast(chosen, dark=dark, fibre=fibre, ageing=ageing, silent=silent, extras=extras, olt=olt)
