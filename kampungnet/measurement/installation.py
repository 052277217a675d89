"""What an installation may set about its ledger, its offices and its outages; the same settings, the same results."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from kampungnet.core.errors import BadInput
from kampungnet.measurement.incidents import HOUSE as INCIDENTS
from kampungnet.measurement.incidents import Grouping
from kampungnet.measurement.ledger import HOUSE, Policy
from kampungnet.measurement.outage_words import HOUSE as OUTAGES
from kampungnet.measurement.outage_words import Thresholds
from kampungnet.measurement.workdays import HOUSE_HOURS, OfficeHours

LINE_MBPS: Final = "KAMPUNGNET_LINE_MBPS"
LONGEST_STEP_SECONDS: Final = "KAMPUNGNET_LONGEST_STEP_SECONDS"
OFFICE_OPENS: Final = "KAMPUNGNET_OFFICE_OPENS"
OFFICE_CLOSES: Final = "KAMPUNGNET_OFFICE_CLOSES"
OUTAGE_MINUTES: Final = "KAMPUNGNET_OUTAGE_MINUTES"
CALM_MINUTES: Final = "KAMPUNGNET_CALM_MINUTES"
TOGETHER_SECONDS: Final = "KAMPUNGNET_TOGETHER_SECONDS"
INCIDENT_PERCENT: Final = "KAMPUNGNET_INCIDENT_PERCENT"
_LAST_HOUR: Final = 24


def policy(environment: Mapping[str, str] = os.environ) -> Policy:
    """Return the policy of this installation: the fastest line in Mbit/s, the longest step that is no gap.

    Raises ``BadInput`` naming what is no whole number from 1.
    """
    line = number(environment, LINE_MBPS, HOUSE.line_bps // 1_000_000)
    step = number(environment, LONGEST_STEP_SECONDS, HOUSE.longest_step_ms // 1000)
    return Policy(line * 1_000_000, step * 1000)


def office(environment: Mapping[str, str] = os.environ) -> OfficeHours:
    """Return when offices of this installation are open, without holidays: whole hours of the local day.

    Raises ``BadInput`` naming what is no hour, or closes before it opens.
    """
    opens = number(environment, OFFICE_OPENS, HOUSE_HOURS.opens, 0)
    closes = number(environment, OFFICE_CLOSES, HOUSE_HOURS.closes)
    if not opens < closes <= _LAST_HOUR:
        raise BadInput(
            f"{OFFICE_OPENS}={opens} and {OFFICE_CLOSES}={closes} are no hours of one day, the earlier first."
        )
    return OfficeHours(opens, closes)


def thresholds(zone: str, environment: Mapping[str, str] = os.environ) -> Thresholds:
    """Return how outages of a zone are judged.

    The shortest that is one and how long service must last to end it are minutes; how far apart what happens
    together may begin is seconds. Raises ``BadInput`` naming what is no whole number from 1.
    """
    return replace(
        OUTAGES, zone=zone,
        shortest_ms=number(environment, OUTAGE_MINUTES, OUTAGES.shortest_ms // 60_000) * 60_000,
        calm_ms=number(environment, CALM_MINUTES, OUTAGES.calm_ms // 60_000) * 60_000,
        together_ms=number(environment, TOGETHER_SECONDS, OUTAGES.together_ms // 1000) * 1000,
    )  # fmt: skip


def grouping(environment: Mapping[str, str] = os.environ) -> Grouping:
    """Return how outages become incidents: how far apart they may begin, and the share of a place's sites in per cent.

    Raises ``BadInput`` naming what is no whole number from 1.
    """
    return replace(
        INCIDENTS,
        together_ms=number(environment, TOGETHER_SECONDS, INCIDENTS.together_ms // 1000) * 1000,
        most_percent=number(environment, INCIDENT_PERCENT, INCIDENTS.most_percent),
    )


def number(environment: Mapping[str, str], name: str, usual: int, least: int = 1) -> int:
    """Return a setting, ``usual`` where it is empty. Raises ``BadInput`` when it is no whole number from ``least``."""
    text = environment.get(name) or str(usual)
    if not text.isascii() or not text.isdecimal() or not least <= int(text) <= 1_000_000:
        raise BadInput(f"{name}={text[:20]} is no number from {least} to 1000000.")
    return int(text)
