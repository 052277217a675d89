"""The OLTs that can be simulated, by the names of the command line."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kampungnet_sim import olt_fiberhome, olt_huawei, olt_others, olt_zte
from kampungnet_sim.olt_plant import Olt, Shelf
from kampungnet_sim.olt_tables import Objects

_SIXTEEN = Shelf(slots=1, ports=16)


@dataclass(frozen=True)
class OltModel:
    """A maker's tree and how its shelf counts. ``epon`` names ONUs by address, not by serial number."""

    tree: Callable[[Olt], Objects]
    shelf: Shelf = field(default_factory=Shelf)
    epon: bool = False


OLT_MODELS: dict[str, OltModel] = {
    "zte-c300": OltModel(olt_zte.c300),
    "zte-c320": OltModel(olt_zte.c320_old),
    "zte-c320-v2.2": OltModel(olt_zte.c320_new),
    "zte-c600": OltModel(olt_zte.c600, Shelf(first_slot=3, slots=2)),
    "huawei": OltModel(olt_huawei.smartax, Shelf(first_slot=0, first_port=0, first_onu=0)),
    "fiberhome": OltModel(olt_fiberhome.an5516, Shelf(first_slot=11)),
    "fiberhome-an5116": OltModel(olt_fiberhome.an5116, Shelf(first_slot=15)),
    "vsol": OltModel(olt_others.vsol, _SIXTEEN, epon=True),
    "ufiber": OltModel(olt_others.ufiber, _SIXTEEN),
    "hsgq": OltModel(olt_others.hsgq, _SIXTEEN),
    "hsgq-epon": OltModel(olt_others.hsgq_epon, _SIXTEEN, epon=True),
    "cdata": OltModel(olt_others.cdata, _SIXTEEN),
    "bdcom": OltModel(olt_others.bdcom, _SIXTEEN),
}
