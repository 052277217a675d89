"""Carries out commands that answer at once: print, count, add, set, remove, login to the hotspot."""

from collections.abc import Callable, Sequence

from kampungnet_sim import (
    routeros_file,
    routeros_hotspot_commands,
    routeros_log,
    routeros_menus_dhcp,
    routeros_menus_hotspot,
    routeros_menus_interface,
    routeros_menus_ip,
    routeros_menus_ppp,
    routeros_menus_queue,
    routeros_menus_system,
    routeros_menus_wireless,
)
from kampungnet_sim.routeros_menu import Menu
from kampungnet_sim.routeros_query import matches
from kampungnet_sim.routeros_request import Frame, Request, attribute
from kampungnet_sim.routeros_router import Moment, SimulatedRouter
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.routeros_user import RouterUser

MENUS: dict[str, Menu] = {
    **routeros_menus_system.MENUS,
    **routeros_menus_interface.MENUS,
    **routeros_menus_wireless.MENUS,
    **routeros_menus_ppp.MENUS,
    **routeros_menus_dhcp.MENUS,
    **routeros_menus_queue.MENUS,
    **routeros_menus_ip.MENUS,
    **routeros_log.MENUS,
    **routeros_menus_hotspot.MENUS,
    **routeros_file.MENUS,
}
_PREFIXES = {menu[:cut] for menu in MENUS for cut in range(1, len(menu) + 1) if menu[cut : cut + 1] in "/"}

_PRINT_ARGUMENTS = frozenset(
    ".proplist .id detail stats count-only active interval follow follow-only from where brief terse"
    " without-paging as-value value-list show-ids numbers list proplist oid bytes packets all".split()
)
_SECRETS = frozenset({"password", "secret"})
_SECRETIVE = frozenset({"/ip/hotspot/user", "/radius", "/interface/pppoe-client"})
_POLICY_OF_VERB = {
    "print": "read", "getall": "read", "listen": "read", "get": "read", "monitor": "read",
    "monitor-traffic": "read", "read": "read", "ping": "test", "resolve": "test", "fetch": "test", "reboot": "reboot",
}  # fmt: skip

Cache = dict[tuple[object, ...], list[bytes]]


def encode_rows(rows: Sequence[Row], proplist: tuple[str, ...]) -> list[bytes]:
    """The attribute words of each row; a property an item lacks is left out."""
    if proplist:
        return [b"".join([attribute(name, row[name]) for name in proplist if name in row]) for row in rows]
    return [b"".join([attribute(name, value) for name, value in row.items()]) for row in rows]


class Engine:
    """The commands of one router."""

    def __init__(self, router: SimulatedRouter) -> None:
        self.router = router
        self._cache: Cache = {}
        self._cache_key: tuple[object, ...] = ()
        self._second: dict[str, list[Row]] = {}
        self._second_key: tuple[object, ...] = ()
        self.on_reboot: Callable[[], None] | None = None

    # -- who may, and what exists -----------------------------------------------------

    def menu_of(self, path: str) -> Menu | None:
        """The menu, if this device has it."""
        menu = MENUS.get(path)
        return menu if menu is not None and menu.owners(self.router.profile) else None

    def missing(self, path: str) -> RouterTrap:
        """The trap for a menu or command that is not there, in the words of the version."""
        if self.router.version.major < 7:
            return RouterTrap("no such command prefix", 0)
        parts = path.split("/")
        for count in range(2, len(parts) + 1):
            head = "/".join(parts[:count])
            known = head in _PREFIXES and (head not in MENUS or self.menu_of(head) is not None)
            if not known:
                return RouterTrap(f"no such command or directory ({parts[count - 1]})", 0)
        return RouterTrap("no such command", 0)

    def recorded(self, _request: Request, _frame: Frame) -> bytes | None:
        """What a recording answers to a command that is no ``print``; None where nothing is replayed."""
        return None

    def check_rights(self, user: RouterUser, request: Request) -> None:
        """Raise the trap of a missing policy."""
        needed = _POLICY_OF_VERB.get(request.verb, "write")
        if needed == "write" and request.menu.startswith("/user"):
            needed = "policy"
        rights = self.router.may(user.name)
        # Files take the policy "ftp" beside that for writing (facts/routeros.md, 11.1).
        if needed not in rights or (request.menu == "/file" and needed == "write" and "ftp" not in rights):
            raise RouterTrap("not enough permissions (9)")

    # -- print ------------------------------------------------------------------------

    def print(self, user: RouterUser, request: Request, frame: Frame, moment: Moment) -> bytes:
        """Answer ``print`` or ``getall``."""
        menu = self.menu_of(request.menu)
        if menu is None:
            raise self.missing(request.menu)
        self._check_arguments(request)
        if request.menu == "/ip/hotspot/user":
            routeros_hotspot_commands.settle_logouts(moment)
        if request.flag("count-only"):
            return frame.done(str(self._count(menu, request, moment)))
        return self._framed(self._bodies(menu, user, request, moment), frame)

    def _framed(self, bodies: list[bytes], frame: Frame) -> bytes:
        if len(bodies) > 1 and "trap_in_table" in self.router.faults():
            half = frame.rows(bodies[: len(bodies) // 2])
            # One command may be answered with more than one trap (facts, section 1, item 10).
            return half + frame.trap("std failure: timeout (13)") + frame.trap("action failed (6)", 4) + frame.done()
        if not bodies and self.router.version.says_empty:
            return frame.empty() + frame.done()
        return frame.rows(bodies) + frame.done()

    def answer(self, request: Request, frame: Frame, rows: list[Row]) -> bytes:
        """The answer made of these rows, which a user without ``sensitive`` may see."""
        return self._framed(self._encode(rows, request, hide=True), frame)

    def _check_arguments(self, request: Request) -> None:
        for name in request.arguments:
            if name not in _PRINT_ARGUMENTS:
                raise RouterTrap(f"unknown parameter {name}")

    def _count(self, menu: Menu, request: Request, moment: Moment) -> int:
        if menu.count is not None and not request.query:
            return menu.count(moment)
        return len(self.rows(menu, request, moment))

    def rows(self, menu: Menu, request: Request, moment: Moment) -> list[Row]:
        """The rows that the query lets through."""
        rows = self._fresh(menu, request.menu, moment)
        if request.query:
            rows = [row for row in rows if matches(request.query, row)]
        wanted = request.arguments.get(".id")
        if wanted is not None:
            ids = wanted.split(",")
            rows = [row for row in rows if row.get(".id") in ids]
        return rows

    def _fresh(self, menu: Menu, path: str, moment: Moment) -> list[Row]:
        """All rows of now, taken out of this second's when the menu allows it. They are not to be changed."""
        router, state = self.router, moment.state
        if not menu.each_second:
            return router.disguise(path, menu.rows(moment))
        latest = router.log[-1] if router.log else None
        now = (int(state.time), state.boot_time, router.revision(), latest, router.faults())
        if now != self._second_key:
            self._second.clear()
            self._second_key = now
        rows = self._second.get(path)
        if rows is None:
            rows = self._second[path] = router.disguise(path, menu.rows(moment))
        return rows

    def _bodies(self, menu: Menu, user: RouterUser, request: Request, moment: Moment) -> list[bytes]:
        hide = "sensitive" not in self.router.may(user.name)
        if not menu.steady:
            return self._encode(self.rows(menu, request, moment), request, hide=hide)
        state = (moment.state.boot_time, self.router.revision(), self.router.faults())
        if state != self._cache_key:
            self._cache.clear()
            self._cache_key = state
        key = (request.menu, request.proplist, request.query_words, request.arguments.get(".id"), hide)
        bodies = self._cache.get(key)
        if bodies is None:
            bodies = self._cache[key] = self._encode(self.rows(menu, request, moment), request, hide=hide)
        return bodies

    @staticmethod
    def _encode(rows: list[Row], request: Request, *, hide: bool) -> list[bytes]:
        if hide and request.menu in _SECRETIVE:
            rows = [{k: v for k, v in row.items() if k not in _SECRETS} for row in rows]
        return encode_rows(rows, request.proplist)

    # -- change -----------------------------------------------------------------------

    def change(self, request: Request, frame: Frame, now: float) -> bytes:
        """Answer add, set, remove and their relatives."""
        forbidden = self.router.version.major >= 7 and "hotspot-forbidden" in self.router.profile.features
        if forbidden and request.menu.startswith("/ip/hotspot"):
            raise RouterTrap("failure: not allowed by device-mode")
        values, ids = self._given(request)
        if request.command == "/system/reboot":
            self._reboot()
            return frame.done()
        if routeros_hotspot_commands.special(self.router, request.command, ids, values):
            return frame.done()
        if request.menu == "/file":
            return routeros_file.change(self.router, request.verb, (ids, values), frame)
        return self._change_list(request, frame, now)

    def _change_list(self, request: Request, frame: Frame, now: float) -> bytes:
        if self.router.own.handles(request.menu):
            return self._change_own(request, frame)
        menu = self.menu_of(request.menu)
        if menu is None:
            raise self.missing(request.menu)
        if not menu.table:
            raise RouterTrap("no such command", 0)
        result = self._change_table(request)
        if request.menu == "/ip/hotspot/user":
            self.router.note(now, "system,info", f"hotspot user {request.verb} by api")
        return frame.done(result)

    def _change_own(self, request: Request, frame: Frame) -> bytes:
        values, ids = self._given(request)
        if request.menu != "/system/backup" and self.menu_of(request.menu) is None:
            raise self.missing(request.menu)
        result = self.router.own.change(request.menu, request.verb, ids, values)
        if request.command == "/system/backup/load":
            self._reboot()
        return frame.done(result)

    @staticmethod
    def _given(request: Request) -> tuple[Row, str]:
        values = {k: v for k, v in request.arguments.items() if k not in (".id", "numbers")}
        return values, request.arguments.get(".id", request.arguments.get("numbers", ""))

    def _change_table(self, request: Request) -> str | None:
        table = self.router.tables[request.menu]
        values, ids = self._given(request)
        if request.verb in ("add", "set"):
            values = routeros_hotspot_commands.checked(self.router, request.menu, values)
        if request.verb == "add":
            return table.add(values)
        if not ids:
            raise RouterTrap("missing value(s) of argument(s) numbers", 1)
        changes: dict[str, Callable[[], None]] = {
            "remove": lambda: table.remove(ids),
            "set": lambda: table.set(ids, values),
            "unset": lambda: table.unset(ids, values.get("value-name", "")),
            "move": lambda: table.move(ids, values.get("destination", "")),
            "enable": lambda: table.set(ids, {"disabled": "false"}),
            "disable": lambda: table.set(ids, {"disabled": "true"}),
            "comment": lambda: table.set(ids, {"comment": values.get("comment", "")}),
        }
        change = changes.get(request.verb)
        if change is None:
            raise RouterTrap("no such command", 0)
        change()
        return None

    def _reboot(self) -> None:
        if self.on_reboot is not None:
            self.on_reboot()
