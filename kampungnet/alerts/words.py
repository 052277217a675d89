"""Pure: what a draft says, as plain text: the first line is what a locked phone shows, the last one is the page.

Plain, because names and other people's texts may hold anything: there is no mark-up that they could break.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kampungnet.alerts.cutting import shortened
from kampungnet.alerts.facts import (
    BOX_MOVED,
    BOX_OLD_KEY,
    BOX_REVOKED,
    BOX_TWICE,
    BOX_UNKNOWN,
    OF_BOXES,
    OF_JOBS,
    WATCHDOG,
    Act,
    Alarm,
    Draft,
    Fact,
    Group,
    Kind,
    Morning,
    Names,
    Work,
)
from kampungnet.core.languages import N_, Language
from kampungnet.measurement.incident_words import Told, told
from kampungnet.measurement.outage_words import Cause

NAMES_SHOWN: Final = 6
LINES_SHOWN: Final = 10
LONGEST_NAME: Final = 60
LONGEST_TEXT: Final = 300
LONGEST_TITLE: Final = 120

_TO_DO: Final = {
    (Kind.ENGINEER, Cause.LISTRIK): N_("Ask PLN when the power comes back. Nothing has to be done at the network."),
    (Kind.ENGINEER, Cause.FIBER): N_("Tell the provider this place and the time: a splicing team has to go there."),
    (Kind.ENGINEER, Cause.PERANGKAT): N_("Call the village: look at plugs, cables and lamps, then restart the router."),
    (Kind.ENGINEER, Cause.PENYEDIA): N_("Report it to the provider and write down the number of the report."),
    (Kind.ENGINEER, Cause.ORANG): N_("Call the village: somebody switched the devices off or pulled a plug."),
    (Kind.ENGINEER, Cause.UNKNOWN): N_("Call the village: is there power, are the lamps on? Then ask the provider."),
    (Kind.OPERATOR, Cause.LISTRIK): N_("If only the office has no power, look at the meter and the plugs. Else wait."),
    (Kind.OPERATOR, Cause.FIBER): N_("There is nothing to repair in the office. Kominfo asks the provider."),
    (Kind.OPERATOR, Cause.PERANGKAT): N_("Look whether plugs and cables sit tight, then restart the router once."),
    (Kind.OPERATOR, Cause.PENYEDIA): N_("There is nothing to repair in the office. Kominfo asks the provider."),
    (Kind.OPERATOR, Cause.ORANG): N_("Switch the devices on again and leave them on over night."),
    (Kind.OPERATOR, Cause.UNKNOWN): N_("Look whether there is power and whether the lamps of the devices are on."),
}  # fmt: skip
_GROWN: Final = N_("MORE VILLAGES: %(what)s, %(where)s")
_BEGUN: Final = N_("TROUBLE: %(what)s, %(where)s")
_PLANNED: Final = N_("PLANNED WORK: %(where)s")
_CALLED_OFF: Final = N_("PLANNED WORK CALLED OFF: %(where)s")
_WARNING: Final = N_("WARNING: %(what)s")
_STILL_MORE: Final = N_("STILL MORE: %(what)s")
_ENDED: Final = N_("RECOVERED: %(what)s, %(where)s")


_BOXES: Final = {
    BOX_MOVED: (
        N_("The box of %(place)s reports from another network"),
        N_("It speaks from %(network)s now. Call the village: does it still stand there?"),
    ),
    BOX_TWICE: (
        N_("Two boxes report with the key of %(place)s"),
        N_("The card was copied; the last one spoke from %(network)s. Shut the box out and put a new one there."),
    ),
    BOX_REVOKED: (
        N_("The box of %(place)s that was shut out is on the line"),
        N_("It was let in nowhere. It is at %(network)s: the provider knows whose line that is."),
    ),
    BOX_OLD_KEY: (
        N_("A copy of the box of %(place)s is on the line"),
        N_("It has a key that was changed since, and was not let in. It is at %(network)s."),
    ),
    BOX_UNKNOWN: (
        N_("Boxes that nobody knows ask to be let in"),
        N_("None was let in. They come from %(network)s."),
    ),
}
"""Of our own alarms about boxes: what it is, and what else is known."""
_JOBS: Final = {
    f"{OF_JOBS}audit": N_("The log of decisions was not examined, or does not hold"),
    f"{OF_JOBS}backup": N_("The nightly backup is missing"),
    f"{OF_JOBS}close-month": N_("The papers of the month are missing"),
    f"{OF_JOBS}push": N_("No readings reach Prometheus or VictoriaMetrics: graphs and warnings there stand still"),
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """What all messages share: their language and the base address of the pages."""

    language: Language
    address: str | None


@dataclass(frozen=True, slots=True)
class Voice:
    """How one reader is spoken to."""

    language: Language
    kind: Kind
    zone: str
    now_ms: int
    names: Names
    address: str | None
    """Base address of the pages; ``None`` where nobody set it."""

    def moment(self, instant_ms: int) -> str:
        """Return an instant with its zone."""
        return self.language.moment(instant_ms, self.zone, self.now_ms)

    def lasted(self, start_ms: int, end_ms: int) -> str:
        """Return from when to when, with the zone, and how long."""
        length = self.language.duration((end_ms - start_ms) / 1000)
        return self.language.say("%(began)s to %(end)s (%(length)s)", began=self.moment(start_ms),
                                 end=self.moment(end_ms), length=length)  # fmt: skip

    def page(self, path: str) -> str:
        """Return the address of a page; without a known one its path, which still says where to look."""
        return f"{self.address or 'KampungNet: '}{path}"


def text_of(draft: Draft, voice: Voice) -> str:
    """Return the text of a draft."""
    about = draft.fact.about if draft.fact else None
    if draft.act is Act.SUMMARY:
        lines = _summary(draft, voice)
    elif draft.act is Act.CANCEL:
        lines = _cancelled(draft, voice)
    elif isinstance(about, Work) and draft.fact:
        lines = _work(draft.act, draft.fact, about, voice)
    elif isinstance(about, Group) and draft.fact:
        lines = _group(draft, draft.fact, about, voice)
    elif isinstance(about, Told) and draft.fact:
        lines = _incident(draft, draft.fact, about, voice)
    else:
        lines = iter(())
    return "\n".join(one for one in lines if one)


def test_text(voice: Voice, name: str) -> str:
    """Return a message that only shows that messages arrive."""
    say = voice.language.say
    return "\n".join((
        say("KampungNet: test message"),
        say("This is how messages reach %(name)s. Nothing is the matter.", name=clean(name)),
        voice.page("/pemberitahuan"),
    ))  # fmt: skip


def digest_text(morning: Morning, voice: Voice) -> str:
    """Return the message of the morning."""
    language = voice.language
    head = language.say(
        "%(day)s: %(up)s of %(villages)s villages connected", day=language.full_day(morning.day),
        up=language.number(morning.up), villages=language.number(morning.villages),
    )  # fmt: skip
    lasting = [one for one in morning.facts if isinstance(one.about, Told | Group) and one.end_ms is None]
    boxes = [one for one in lasting if one.topic.startswith(OF_BOXES)]
    jobs = [one for one in lasting if one.topic.startswith(OF_JOBS)]
    lasting = [one for one in lasting if one not in [*boxes, *jobs]]
    over = [one for one in morning.facts if isinstance(one.about, Told) and one.end_ms is not None]
    parts = [
        (N_("Without service now:"), [_one_line(one, voice) for one in lasting]),
        (N_("Recovered since yesterday:"), [_one_line(one, voice) for one in over]),
        (N_("Light of the fibre bad or falling:"), [f"{clean(one.name)}: {one.words}" for one in morning.lights]),
        (N_("Boxes to look at:"), [_one_line(one, voice) for one in boxes]),
        (N_("Work of the server that is missing:"), [_one_line(one, voice) for one in jobs]),
        (N_("No report from the box:"), [
            language.say("%(name)s since %(since)s", name=clean(one.name), since=voice.moment(one.since_ms))
            for one in morning.silent
        ]),
        (N_("Planned work:"), [_one_line(one, voice) for one in morning.facts if isinstance(one.about, Work)]),
    ]  # fmt: skip
    said = [line for title, lines in parts if lines for line in _listed(language.say(title), lines, voice)]
    seal = [language.say("Seal of the log: %(seal)s", seal=morning.seal)] if morning.seal else []
    if morning.anew is not None:
        seal.append(language.say("The log was begun anew at act %(number)s.", number=morning.anew))
    quiet = [language.say("Nothing happened since yesterday.")]
    return "\n".join([head, *(said or quiet), *seal, voice.page("/")])


def clean(text: str, most: int = LONGEST_NAME) -> str:
    """Return what somebody wrote as one line of readable signs, not too long."""
    seen = "".join(sign if sign.isprintable() else " " for sign in text)
    return shortened(" ".join(seen.split()), most)


def _incident(draft: Draft, fact: Fact, about: Told, voice: Voice) -> Iterator[str]:
    say, line = voice.language.say, told(about, voice.names, voice.language, voice.zone, voice.now_ms)
    what, where = line.what[:1].lower() + line.what[1:], clean(line.where)
    if draft.act is Act.END:
        yield say(_ENDED, what=what, where=where)
        yield _villages(about, voice, line.how_many)
        yield voice.lasted(fact.start_ms, fact.end_ms or voice.now_ms)
    else:
        yield say(_BEGUN if draft.act is Act.BEGIN else _GROWN, what=what, where=where)
        yield _villages(about, voice, line.how_many)
        began = voice.moment(fact.start_ms)
        length_ms = voice.now_ms - fact.start_ms
        yield say("Since %(began)s (%(length)s)", began=began, length=voice.language.duration(length_ms / 1000))
        yield line.note
        if draft.times > 1:
            yield say("For the %(n)s. time within six hours.", n=voice.language.number(draft.times))
        if draft.is_last:
            yield say("It comes and goes: the next message follows when it lasts for an hour.")
        cause = Cause.UNKNOWN if about.is_silence else about.cause
        if (voice.kind, cause) in _TO_DO:
            yield say("What to do: %(what)s", what=say(_TO_DO[voice.kind, cause]))
    yield voice.page(f"/gangguan/{about.id}")


def _villages(about: Told, voice: Voice, how_many: str) -> str:
    """Return how many villages there are and the first names; nothing where the place says it all."""
    found = dict(about.villages)
    if len(found) == 1 and about.place and about.place[-1].partition("-")[0] in found:
        return ""
    names = list(found.values())
    return f"{how_many}: {_named(names, voice)}" if how_many else _named(names, voice)


def _named(names: Sequence[str], voice: Voice) -> str:
    shown, more = ", ".join(clean(one) for one in names[:NAMES_SHOWN]), len(names) - NAMES_SHOWN
    if more <= 0:
        return shown
    return f"{shown} {voice.language.say('and %(more)s more', more=voice.language.number(more))}"


def _cancelled(draft: Draft, voice: Voice) -> Iterator[str]:
    say, names = voice.language.say, [voice.names.get(code, code) for code in sorted(draft.members)]
    yield say("TAKEN BACK: the message of %(made)s", made=voice.moment(draft.before.made_ms if draft.before else 0))
    yield _named(names, voice)
    yield say("Readings that came later show no such interruption.")
    yield voice.page("/gangguan")


def _work(act: Act, fact: Fact, about: Work, voice: Voice) -> Iterator[str]:
    say = voice.language.say
    where = _named([voice.names.get(code, code) for code in about.places], voice)
    yield say(_PLANNED if act is Act.PLAN else _CALLED_OFF, where=where)
    yield voice.lasted(fact.start_ms, fact.end_ms or fact.start_ms)
    yield clean(f"{about.reason} ({about.provider})" if about.provider else about.reason, LONGEST_TEXT)
    if act is Act.PLAN:
        yield say("The network may be cut in this time. Nothing has to be done.")
    yield voice.page("/pekerjaan")


def _group(draft: Draft, fact: Fact, about: Group, voice: Voice) -> Iterator[str]:
    say, first = voice.language.say, about.alarms[0]
    title = _title(about, voice)
    if draft.act is Act.END:
        yield say("RECOVERED: %(what)s", what=title)
        yield _named(_places(about.alarms), voice)
        began_ms = draft.before.start_ms if draft.before else fact.start_ms
        yield voice.lasted(began_ms, fact.end_ms or voice.now_ms)
        yield voice.page("/")
        return
    yield say(_WARNING if draft.act is Act.BEGIN else _STILL_MORE, what=title)
    number = len(about.alarms) + about.more
    if number > 1:
        yield say(
            "%(n)s reports: %(names)s", n=voice.language.number(number), names=_named(_places(about.alarms), voice)
        )
    yield say("Since %(began)s (%(length)s)", began=voice.moment(fact.start_ms),
              length=voice.language.duration((voice.now_ms - fact.start_ms) / 1000))  # fmt: skip
    if first.name in _BOXES:
        yield say(_BOXES[first.name][1], network=first.description or say("unknown network"))
        yield voice.page("/janggal")
        return
    if first.name in _JOBS:
        yield say("Why stands on the server: journalctl -u %(unit)s", unit=clean(first.place))
        yield voice.page("/")
        return
    yield clean(first.description, LONGEST_TEXT)
    yield clean(first.runbook, LONGEST_TEXT)
    yield voice.page(f"/desa/{first.village}" if first.village and number == 1 else "/")


def _title(about: Group, voice: Voice) -> str:
    first = about.alarms[0]
    if first.name == WATCHDOG:
        return voice.language.say("Prometheus does not report any more: its warnings are silent")
    if first.name in _BOXES:
        return voice.language.say(_BOXES[first.name][0], place=clean(first.place))
    if first.name in _JOBS:
        return voice.language.say(_JOBS[first.name])
    return clean(first.summary or first.name, LONGEST_TITLE)


def _places(alarms: Iterable[Alarm]) -> list[str]:
    return list(dict.fromkeys(one.place or one.summary or one.name for one in alarms))


def _summary(draft: Draft, voice: Voice) -> Iterator[str]:
    language = voice.language
    number = len(draft.facts)
    if draft.sign == Act.END:
        title = language.say_many("RECOVERED: %(n)s interruption", "RECOVERED: %(n)s interruptions", number)
    else:
        title = language.say_many("TROUBLE: %(n)s at once", "TROUBLE: %(n)s at once", number)
    yield from _listed(title, [_one_line(one, voice) for one in draft.facts], voice)
    yield voice.page("/gangguan")


def _listed(title: str, lines: Sequence[str], voice: Voice) -> Iterator[str]:
    yield title
    yield from (f"- {line}" for line in lines[:LINES_SHOWN])
    if len(lines) > LINES_SHOWN:
        more = voice.language.number(len(lines) - LINES_SHOWN)
        yield f"- {voice.language.say('and %(more)s more', more=more)}"


def _one_line(fact: Fact, voice: Voice) -> str:
    about, when = fact.about, voice.moment(fact.start_ms)
    if fact.end_ms is not None:
        when = voice.lasted(fact.start_ms, fact.end_ms)
    if isinstance(about, Work):
        return f"{_named([voice.names.get(code, code) for code in about.places], voice)}, {when}"
    if isinstance(about, Group):
        return f"{_title(about, voice)}, {when}"
    line = told(about, voice.names, voice.language, voice.zone, voice.now_ms)
    many = f" ({line.how_many})" if line.how_many else ""
    return f"{clean(line.where)}: {line.what[:1].lower()}{line.what[1:]}{many}, {when}"
