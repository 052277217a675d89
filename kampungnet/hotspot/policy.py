"""What a village offers at its portal: the ways in, the greeting, whom to ask. Pure."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kampungnet.shared.wanted import WantedPlan, WantedTries

CLICK_SECONDS: Final = 4 * 3600
DAY_SECONDS: Final = 86_400
MOST_TRIES: Final = 600
FEWEST_AT_ONCE: Final = 10
"""One page with its parts, and the answer to a form."""

Words = Annotated[str, Meta(max_length=200)]


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """The policy of one portal. A new portal lets people in by click and changes nothing else."""

    managed: bool = False
    """Until an engineer says so the router is only read: it may be run by other means."""
    click: bool = True
    click_plan: str = "tamu"
    click_seconds: Annotated[int, Meta(ge=0, le=DAY_SECONDS)] = CLICK_SECONDS
    """Time online for one device each day; 0 is all day."""
    vouchers: bool = True
    accounts: bool = True
    greeting: Words = ""
    """A line in the language of the village, Osing or Javanese, shown as typed."""
    contact: Words = ""
    """Whom to ask when it does not work."""
    tries_a_minute: Annotated[int, Meta(ge=0, le=MOST_TRIES)] = 30
    """Knocks at the router's login page that one phone may make; 0 is no limit."""
    logins: tuple[str, ...] = ()
    """Addresses of the login on this village's routers; not empty: the login page is the server's own."""
    wifi_name: Words = ""
    """The name phones show (SSID), for the paper of vouchers."""
    router_name: Words = ""
    """Name or address by which the router's login page is reached (``dns-name``)."""

    @property
    def login(self) -> str:
        """Address of the router's login page, where a voucher's QR code leads; empty: nobody wrote it yet."""
        return f"http://{self.router_name}/login" if self.router_name else next(iter(self.logins), "")

    @property
    def tries(self) -> WantedTries | None:
        """What the router is told of it."""
        most = self.tries_a_minute
        return WantedTries(most, max(FEWEST_AT_ONCE, most)) if most else None


def first_plans() -> list[tuple[str, WantedPlan]]:
    """Return the plans a regency begins with, each with its title; staff change them as they like.

    Speeds are a beginning for 20 Mbps shared by a village, no fact; 3 hours and 300 MB a day are OpenWISP's usual
    group (facts on hotspots 11).
    """
    return [
        ("Tamu", WantedPlan("tamu", 2_000, 1_000, 512, 256, 3 * 3600, 300_000_000)),
        ("Voucher harian", WantedPlan("harian", 5_000, 2_000, 1_000, 512, day_bytes=2_000_000_000)),
        ("Warga", WantedPlan("warga", 5_000, 2_000, 1_000, 512, day_bytes=2_000_000_000, devices=2)),
        ("Kantor desa", WantedPlan("kantor", devices=3, idle_seconds=3600, priority=1)),
    ]


def encoded(value: msgspec.Struct) -> str:
    """Return JSON for a text column."""
    return msgspec.json.encode(value).decode()


def policy_of(text: str) -> Policy:
    """Return a policy as it was stored."""
    return msgspec.json.decode(text, type=Policy)


def plan_of(text: str) -> WantedPlan:
    """Return a plan's limits as they were stored."""
    return msgspec.json.decode(text, type=WantedPlan)
