"""A running OLT: its SNMP socket, its command line if wanted, and what others must know to reach it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from kampungnet_sim.chance import generator, key_of
from kampungnet_sim.faults import FaultBoard
from kampungnet_sim.olt_models import OLT_MODELS, OltModel
from kampungnet_sim.olt_onus import VillageOnu
from kampungnet_sim.olt_plant import Moment, Olt
from kampungnet_sim.olt_tables import engine_boots
from kampungnet_sim.snmp_pdu import GET
from kampungnet_sim.snmp_server import AgentOptions, serve_snmp
from kampungnet_sim.snmp_tree import Tree
from kampungnet_sim.snmp_usm import UsmUser
from kampungnet_sim.village import Village

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class OltWish:
    """An OLT somebody asked for: a name of OLT_MODELS, and how many strangers' ONUs share it."""

    model: str
    houses: int = 60


@dataclass(frozen=True, slots=True)
class OltAccess:
    """What one needs to ask an OLT: by SNMP, and with the password on its command line."""

    community: str
    user: UsmUser
    username: str
    password: str


def draw_olt_access(seed: int, name: str) -> OltAccess:
    """Made from the seed: never a fixed default. SNMPv3 speaks SHA-256, as a newer OLT does."""
    chance = generator(seed, name, "olt access")
    words = ["".join(chance.choices(_LETTERS, k=14)) for _ in range(4)]
    user = UsmUser("kampungnet", words[1], words[2], auth="SHA-256")
    return OltAccess(words[0], user, "kampungnet", words[3])


class OltService:
    """One OLT on loopback. ``ssh`` says how to log in, once somebody opened its command line."""

    def __init__(self, name: str, wish: OltWish, seed: int, clock: Callable[[], float], faults: FaultBoard) -> None:
        self.name = name
        self.wish = wish
        self.access = draw_olt_access(seed, name)
        self.model: OltModel = OLT_MODELS[wish.model]
        self.olt = Olt(name, seed, self.model.shelf, clock())
        self.olt.events = lambda: faults.own_events(name)
        self.olt.fragile = lambda: "fragile_line_card" in faults.active(name)
        self.port = 0
        self.ssh: dict[str, object] = {}
        self._clock = clock
        self._faults = faults
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, villages: list[Village], port: int = 0) -> None:
        """Connect the ONUs and open the SNMP socket. ValueError when there are too many."""
        self.olt.connect(villages, self.wish.houses)
        tree = Tree(self.model.tree(self.olt))
        options: AgentOptions[Moment] = AgentOptions(
            community=self.access.community,
            state=self.moment,
            engine_clock=lambda m: (engine_boots(m), int(m.when - m.boot)),
            engine_id=b"\x80\x00\x3a\x8c\x05" + key_of(self.name, "engine").to_bytes(8, "big"),
            user=self.access.user,
            answers=self.answers,
            faults=self.active_faults,
            observe=self._observe,
        )
        self._transport, self.port = await serve_snmp(tree, options, port)

    def moment(self) -> Moment:
        """The OLT now."""
        return self.olt.moment(self._clock())

    def active_faults(self) -> frozenset[str]:
        """What is wrong with it now."""
        return self._faults.active(self.name)

    def answers(self) -> bool:
        """Is anybody there?"""
        return self.olt.answers(self._clock()) and "device_dead" not in self.active_faults()

    def _observe(self, kind: int, values: int) -> None:
        counts = self.olt.counts
        counts.requests += 1
        if kind == GET:
            counts.rows_got += values
        else:
            counts.rows_walked += values

    def inventory(self, code: str) -> dict[str, object] | None:
        """How to reach this OLT and which ONU is this village's; None when the village hangs elsewhere."""
        onu = next((o for o in self._village_onus() if o.village.profile.code == code), None)
        if onu is None:
            return None
        user = self.access.user
        found: dict[str, object] = {
            "name": self.name,
            "model": self.wish.model,
            "address": f"127.0.0.1:{self.port}",
            "community": self.access.community,
            "v3_username": user.name,
            "v3_auth": user.auth,
            "v3_auth_password": user.auth_password,
            "v3_priv_password": user.priv_password,
            "serial": onu.mac if self.model.epon else onu.serial,
            "slot": onu.place.slot,
            "port": onu.place.port,
            "onu": onu.place.number,
            "gasps": onu.gasps,
        }
        return {**found, "ssh": self.ssh} if self.ssh else found

    def _village_onus(self) -> list[VillageOnu]:
        return [onu for onu in self.olt.onus if isinstance(onu, VillageOnu)]

    def first_village(self) -> str:
        """Whose agent looks after this OLT; empty when no village hangs here."""
        return next((onu.village.profile.code for onu in self._village_onus()), "")

    def serials(self) -> list[str]:
        """By which our villages' ONUs are found, in the order of places."""
        return [onu.mac if self.model.epon else onu.serial for onu in self._village_onus()]

    def listed(self) -> dict[str, object]:
        """As the control socket shows it."""
        now = self.moment()
        states = [self.olt.now(onu, now).phase for onu in self.olt.onus]
        phases = {phase.value: states.count(phase) for phase in dict.fromkeys(states)}
        return {
            "name": self.name,
            "model": self.wish.model,
            "onus": len(self.olt.onus),
            "phases": phases,
            "faults": sorted(self.active_faults()),
            "counts": self.olt.counts.listed(),
        }

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
