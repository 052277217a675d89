"""What one visit to a router asks, in two rounds, and what a connection teaches about its router. Pure.

The second round holds what needs an answer of the first: tables that were counted, addresses that
were not known yet, places whose first probe was lost. At most polls there is nothing of that kind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from .fields import text
from .mikrotik_answers import Answers, absences, is_missing_menu, refusals
from .mikrotik_hotspot import MOST_RADIUS, questions_about_servers
from .mikrotik_interfaces import MOST_PPPOE, cages_of, dialled_lines, ports_with_module
from .mikrotik_line import PROBES, address_in, default_route, is_answered, is_lost
from .mikrotik_questions import (
    EACH,
    FACTS,
    LASTING,
    PPPOE,
    RARE,
    TABLES,
    Question,
    light_question,
    lookup_question,
    ping_question,
    pppoe_question,
    radius_question,
)
from .routeros_wire import Reply

FACTS_SECONDS: Final = 3600.0
GATEWAY: Final = "gateway"
SERVER: Final = "server"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the settings want from every poll."""

    wan_interface: str = ""
    internet: tuple[str, ...] = ()
    """Addresses to ping: ``internet``, ``internet2``."""
    server: str = ""
    """Host of our own server, a name or an address; empty when the router cannot reach it anyway."""
    names: tuple[str, ...] = ()
    """Names to resolve."""


@dataclass(slots=True)
class Known:
    """What is known of a router as long as one connection lasts."""

    gone: set[str] = field(default_factory=set)
    """Names of questions about menus this router does not have; not asked again."""
    absent: list[str] = field(default_factory=list)
    """Their ``missing`` entries."""
    facts: dict[str, Reply] = field(default_factory=dict)
    fact_questions: dict[str, Question] = field(default_factory=dict)
    facts_at: float | None = None
    """When the facts were asked, on the loop's clock."""
    lasting: dict[str, Reply] = field(default_factory=dict)
    """Answers to ``LASTING`` of the last visit that asked for tables."""
    table_entries: list[str] = field(default_factory=list)
    """``missing`` entries of the last visit that asked for tables, repeated until the next."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Gateway and server, as far as known."""
    answering: set[str] = field(default_factory=set)
    """Targets that answered a ping once; providers' gateways often never do, and are not asked again and again."""
    ports: tuple[str, ...] = ()
    """Cages with a module in them."""
    lines: dict[str, str] = field(default_factory=dict)
    """Dialled lines: name and ``.id``."""

    def facts_are_old(self, now: float) -> bool:
        """Tell whether the facts are due."""
        return self.facts_at is None or now - self.facts_at >= FACTS_SECONDS


class Visit:
    """One poll in the making: ``first`` and ``second`` say what to ask, ``take`` gets the answers."""

    def __init__(self, known: Known, wishes: Wishes, *, tables: bool, facts: bool) -> None:
        self._known, self._wishes = known, wishes
        self._tables, self._facts = tables, facts
        self.asked: dict[str, Question] = {}
        """Every question of this visit by its name."""
        self._table_questions: dict[str, Question] = {}
        self._too_long: list[str] = []
        self._replies: dict[str, Reply] = {}
        self.addresses: dict[str, str] = {}
        """What was pinged, by target."""

    def first(self) -> list[Question]:
        """Return what can be asked at once."""
        known = self._known
        questions = [*EACH, *(lookup_question(name) for name in self._wishes.names)]
        if self._facts:
            questions += FACTS
        if self._tables:
            questions += [*LASTING, *RARE]
            self._table_questions |= {one.name: one for one in (*LASTING, *RARE)}
        if self._tables or known.lines:
            questions.append(PPPOE)
        if known.ports and not self._facts:
            questions.append(light_question(known.ports, maker=False))
        questions += [pppoe_question(name, number) for name, number in known.lines.items()]
        questions += self._pings()
        return [one for one in questions if one.name not in known.gone]

    def second(self) -> list[Question]:
        """Return what follows from the first answers."""
        answers = Answers(self._replies)
        self._learn_addresses(answers)
        lost = [target for target in self._known.answering & self.addresses.keys() if is_lost(self._replies, target)]
        questions = self._pings()
        questions += [
            ping_question(target, self.addresses[target], attempt)
            for target in lost
            for attempt in range(2, PROBES + 2)
        ]
        questions += self._new_lines(answers)
        if self._facts and (cages := cages_of(answers.rows("ethernet ports"))):
            questions.append(light_question(cages, maker=True))
        if self._tables:
            rows = self._rows(answers)
            self._table_questions |= {one.name: one for one in rows}
            questions += rows
        return [one for one in questions if one.name not in self._known.gone]

    def take(self, asked: Sequence[Question], replies: Iterable[Reply]) -> None:
        """Keep the answers to one round and forget menus that do not exist."""
        self.asked |= {question.name: question for question in asked}
        named = {question.name: reply for question, reply in zip(asked, replies, strict=True)}
        gone = [question for question in asked if is_missing_menu(named[question.name])]
        if not gone:
            self._replies |= named
            return
        left = [question for question in asked if question not in gone]
        self._known.absent += absences(gone, left, named)
        self._known.gone |= {question.name for question in gone}
        self._replies |= {question.name: named[question.name] for question in left}

    def answers(self, now: float) -> Answers:
        """Return all that is known now, with what is missing so far; the facts come from this visit or an earlier."""
        known = self._known
        known.answering |= {target for target in self.addresses if is_answered(self._replies, target)}
        if self._facts:
            names = {*(one.name for one in FACTS), "modules"} & self._replies.keys()
            known.facts = {name: self._replies[name] for name in names}
            known.fact_questions = {name: self.asked[name] for name in names}
            known.facts_at = now
            known.ports = ports_with_module(known.facts["modules"].rows) if "modules" in names else ()
        if self._tables:
            known.lasting = {one.name: self._replies[one.name] for one in LASTING if one.name in self._replies}
            known.table_entries = [*self._too_long, *refusals(self._table_questions.values(), self._replies)]
        others = (known.fact_questions | self.asked).items()
        asked = [question for name, question in others if name not in self._table_questions]
        replies = known.facts | known.lasting | self._replies
        missing = [*known.absent, *refusals(asked, replies), *known.table_entries, *self._not_pinged()]
        return Answers(replies, missing)

    def _pings(self) -> list[Question]:
        """Return pings to places whose address has just become known."""
        known = self._known.addresses
        targets = {GATEWAY: known.get(GATEWAY, ""), SERVER: known.get(SERVER, ""), **_internet(self._wishes.internet)}
        new = {target: address for target, address in targets.items() if address and target not in self.addresses}
        if not new:
            return []
        # in the order of ``targets``, whichever round they were asked in
        together = self.addresses | new
        self.addresses = {target: together[target] for target in targets if target in together}
        return [ping_question(target, address) for target, address in new.items()]

    def _learn_addresses(self, answers: Answers) -> None:
        known = self._known.addresses
        if "default route" in answers:
            gateway = text(default_route(answers.rows("default route")).get(b"gateway"))
            far_end = answers.row(f"pppoe {gateway}").get(b"remote-address")
            known[GATEWAY] = address_in(gateway) or address_in(text(far_end))
        server = self._wishes.server
        if address_in(server):
            known[SERVER] = address_in(server)
        elif server and (reply := answers.replies.get(f"lookup {server}")) and reply.ret:
            known[SERVER] = address_in(text(reply.ret))

    def _not_pinged(self) -> list[str]:
        missing = []
        if GATEWAY not in self.addresses:
            missing.append("ping gateway: no active default route with an address")
        if self._wishes.server and SERVER not in self.addresses:
            missing.append(f"ping server: the router does not resolve {self._wishes.server}")
        return missing

    def _new_lines(self, answers: Answers) -> list[Question]:
        """Return looks at lines that were not known when the first round was asked."""
        if PPPOE.name not in answers:
            return []
        now = dict(list(dialled_lines(answers.rows("pppoe")))[:MOST_PPPOE])
        new = [pppoe_question(name, number) for name, number in now.items() if self._known.lines.get(name) != number]
        self._known.lines = now
        return new

    def _rows(self, answers: Answers) -> list[Question]:
        """Return the tables that are short enough, and what hangs on rows of the first round."""
        questions = []
        for table in TABLES:
            there = answers.number(table.count)
            if there is not None and there > table.most:
                name = table.question.name
                self._too_long.append(f"{name}: {there} rows on the router, more than {table.most} are not read")
            elif there:
                questions.append(table.question)
        numbers = [text(row[b".id"]) for row in answers.rows("radius") if b".id" in row]
        questions += [radius_question(number) for number in numbers[:MOST_RADIUS]]
        return questions + questions_about_servers(answers.rows("hotspot servers"))


@lru_cache(maxsize=64)
def _internet(addresses: tuple[str, ...]) -> dict[str, str]:
    """Return the places in the internet by target: ``internet``, ``internet2``."""
    return {f"internet{place}" if place > 1 else "internet": one for place, one in enumerate(addresses, start=1)}
