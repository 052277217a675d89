"""``/file`` over the API: what the disk holds, and writing to it (see :mod:`kampungnet_sim.hotspot_flash`)."""

from kampungnet_sim.routeros_menu import Menu
from kampungnet_sim.routeros_request import Frame, attribute
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_tables import RouterTrap, Row


def change(router: SimulatedRouter, verb: str, given: tuple[str, Row], frame: Frame) -> bytes:
    """Answer add, set, remove and read."""
    ids, values = given
    moment, flash = router.moment(), router.flash
    now, before = moment.state.time, moment.state.free_storage_bytes
    if verb == "add":
        return frame.done(flash.add(values, now, before))
    if verb == "read":
        row = flash.read(values, now)
        return frame.rows([b"".join(attribute(name, value) for name, value in row.items())]) + frame.done()
    if not ids:
        raise RouterTrap("missing value(s) of argument(s) numbers", 1)
    if verb == "set":
        flash.set(ids, values, now, before)
    elif verb == "remove":
        flash.remove(ids)
    else:
        raise RouterTrap("no such command", 0)
    return frame.done()


MENUS: dict[str, Menu] = {"/file": Menu(lambda moment: moment.router.flash.rows(moment.state.time))}
