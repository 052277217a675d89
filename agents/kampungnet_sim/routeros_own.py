"""What a router has for itself: logins, services, certificates, servers of the clock, backups and jobs.

Sources: facts/routeros.md, 1.13, 7.13, 11, 12.7. Not known and therefore simple here: a job whose start is not given
runs for the first time one interval after it was made, and ``/system/backup/load`` in a job asks nobody (both
unconfirmed).
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kampungnet_sim.routeros_accounts import GROUPS, USERS, Accounts, networks, within
from kampungnet_sim.routeros_inputs import each, truth
from kampungnet_sim.routeros_tables import RouterTrap, Row, Table, TableSpec
from kampungnet_sim.routeros_values import read_duration

if TYPE_CHECKING:
    from kampungnet_sim.routeros_router import SimulatedRouter

SERVICES: Final = "/ip/service"
CERTIFICATES: Final = "/certificate"
SCHEDULER: Final = "/system/scheduler"
BACKUP: Final = "/system/backup"
_ONE_ROW: Final = ("/system/ntp/client", "/system/ntp/server")
_PORTS: Final = {"telnet": 23, "ftp": 21, "www": 80, "ssh": 22, "api": 8728, "winbox": 8291, "api-ssl": 8729}
_LOAD: Final = re.compile(r"/system[ /]backup[ /]load name=\"?([^\" ]+)\"? password=\"?([^\" ]*)\"?")


def _prefixes(_: str, value: str) -> str:
    return networks(value)


_SERVICE = TableSpec(
    frozenset("address port disabled certificate tls-version max-sessions".split()), {},
    readers={**each(truth, "disabled"), "address": _prefixes},
)  # fmt: skip
_CERTIFICATE = TableSpec(
    frozenset("name common-name subject-alt-name key-usage key-size days-valid country state locality organization"
              " unit trusted".split()),
    {"key-size": "2048", "days-valid": "365", "trusted": "false"}, required=("name", "common-name"),
)  # fmt: skip
_NTP_CLIENT = TableSpec(
    frozenset("enabled mode servers vrf".split()),
    {"enabled": "false", "mode": "unicast", "servers": "", "vrf": "main", "status": "stopped"},
    unique=".none", readers=each(truth, "enabled"),
)  # fmt: skip
# Version 6 asks three at most, and writes names apart from addresses.
_NTP_CLIENT_V6 = TableSpec(
    frozenset("enabled primary-ntp secondary-ntp server-dns-names".split()),
    {"enabled": "false", "primary-ntp": "0.0.0.0", "secondary-ntp": "0.0.0.0", "server-dns-names": "",
     "mode": "unicast"},
    unique=".none", readers=each(truth, "enabled"),
)  # fmt: skip
_NTP_SERVER = TableSpec(
    frozenset("enabled broadcast multicast manycast broadcast-addresses vrf use-local-clock local-clock-stratum"
              " auth-key".split()),
    {"enabled": "false", "broadcast": "false", "multicast": "false", "manycast": "false", "broadcast-addresses": "",
     "vrf": "main", "use-local-clock": "false", "local-clock-stratum": "5", "auth-key": "none"},
    unique=".none", readers=each(truth, "enabled broadcast multicast manycast use-local-clock"),
)  # fmt: skip

Restore = Callable[[], None]


class Own:
    """The lists of one router that say who may do what, and its way back."""

    def __init__(self, router: "SimulatedRouter") -> None:
        self._router = router
        self.accounts = Accounts(router)
        limits = {"max-sessions": "20", "dynamic": "false"} if router.version.limits_sessions else {}
        self.tables = {
            SERVICES: Table(_SERVICE, [
                {"name": name, "port": str(port), "address": "", "invalid": "false", "disabled": "false", **limits}
                for name, port in _PORTS.items()
            ]),
            CERTIFICATES: Table(_CERTIFICATE),
            "/system/ntp/client": Table(_NTP_CLIENT if router.version.major >= 7 else _NTP_CLIENT_V6, [{}]),
            "/system/ntp/server": Table(_NTP_SERVER, [{}]),
        }  # fmt: skip
        self._backups: dict[str, tuple[str, Restore]] = {}
        self._jobs: dict[str, float] = {}
        self._changes = 0

    def revision(self) -> int:
        """Grows with every change."""
        return self._changes + self.accounts.revision + sum(table.revision for table in self.tables.values())

    # -- rows ---------------------------------------------------------------------------

    def rows(self, menu: str) -> list[Row]:
        """The rows of one of its lists; a menu of one row has no id."""
        if menu == USERS:
            return self.accounts.users()
        if menu == GROUPS:
            return self.accounts.groups()
        rows = self.tables[menu].rows()
        return [{k: v for k, v in row.items() if k != ".id"} for row in rows] if menu in _ONE_ROW else rows

    def admits(self, service: str, peer: str) -> bool:
        """Tell whether a service takes a connection from an address: it opens it, and ends it when not (1.13)."""
        row = self.tables[SERVICES].get(service) or {}
        return row.get("disabled") != "true" and within(row.get("address", ""), peer)

    # -- change -------------------------------------------------------------------------

    def handles(self, menu: str) -> bool:
        """Tell whether a menu is one of these."""
        return menu in (USERS, GROUPS, BACKUP, *self.tables)

    def change(self, menu: str, verb: str, ids: str, values: Row) -> str | None:
        """Answer what changes one of its lists. Raises the trap of the router."""
        if menu in (USERS, GROUPS):
            return self.accounts.change(menu, verb, ids, values)
        if menu == BACKUP:
            self._backup(verb, values)
            return None
        table = self.tables[menu]
        if menu in _ONE_ROW and verb == "set":
            table.set(table.ids()[0], values)
        elif menu == CERTIFICATES and verb == "sign":
            self._sign(ids, values)
        elif verb == "set":
            table.set(ids, values)
        elif menu == CERTIFICATES and verb == "add":
            return table.add(values)
        elif menu == CERTIFICATES and verb == "remove":
            table.remove(ids)
        else:
            raise RouterTrap("no such command", 0)
        return None

    def _sign(self, ids: str, values: Row) -> None:
        """Sign by itself, or by an authority of this router (``ca=``)."""
        table = self.tables[CERTIFICATES]
        known = {row[".id"]: row["name"] for row in table.rows()}
        name = known.get(ids, ids)
        if name not in known.values() or values.get("ca", name) not in known.values():
            raise RouterTrap("no such item (4)", 0)
        table.change(name, {"ca": values.get("ca", ""), "private-key": "true", "trusted": "true",
                            "fingerprint": f"{abs(hash(name)):064x}"[:64]})  # fmt: skip

    # -- the way back ---------------------------------------------------------------------

    def _backup(self, verb: str, values: Row) -> None:
        name, password = values.get("name", "").removesuffix(".backup"), values.get("password", "")
        if verb == "load":
            self.load(name, password)
            return
        if verb != "save" or not name:
            raise RouterTrap("no such command", 0)
        self._router.flash.write(f"{name}.backup", b"\xef\xa8\x91\x72" * 4_096)
        self._backups[f"{name}.backup"] = (password, self._saved())

    def _saved(self) -> Restore:
        accounts = self.accounts.saved()
        kept = [(table, table.saved()) for table in (*self.tables.values(), *self._router.tables.values())]

        def bring_back() -> None:
            accounts()
            for table, state in kept:
                table.bring_back(state)
            self._changes += 1

        return bring_back

    def load(self, name: str, password: str) -> None:
        """Bring back what a backup holds. Raises the trap of a file that is missing or has another password."""
        file = f"{name.removesuffix('.backup')}.backup"
        if file not in self._router.flash.files or file not in self._backups:
            raise RouterTrap("no such item", 0)
        right, bring_back = self._backups[file]
        if password != right:
            raise RouterTrap("failure: wrong password", 4)
        bring_back()

    def run_jobs(self, now: float) -> bool:
        """Run what the scheduler has due; True when the router has to restart. Only one kind of job is understood."""
        rows = {row[".id"]: row for row in self._router.tables[SCHEDULER].rows() if row.get("disabled") != "true"}
        self._jobs = {key: self._jobs.get(key, now) for key in rows}
        for key, row in rows.items():
            interval = read_duration(row.get("interval", "0s")) or 0
            asked = _LOAD.search(row.get("on-event", ""))
            if asked is None or not interval or now - self._jobs[key] < interval:
                continue
            self._jobs[key] = now
            try:
                self.load(asked[1], asked[2])
            except RouterTrap as trap:
                self._router.note(now, "script,error", f"{row['name']}: {trap.message}")
                continue
            return True
        return False
