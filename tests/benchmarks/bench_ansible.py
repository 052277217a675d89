"""The whole of ``site.yml`` on fresh machines, and once more: how long, and that the second run changes nothing."""

import json
import secrets
from pathlib import Path

from tests.ansible import machines
from tests.ansible.boxes_door import BOXES, PEOPLE, Door
from tests.ansible.kept import (
    AS_POSTGRES,
    SECOND_DISK,
    comes_back_from_its_backup,
    has_a_second_place_for_backups,
    is_kept,
    listens_alone,
)
from tests.ansible.machines import BOX_PACKAGES, CENTRE_PACKAGES, Machine, Network, Played
from tests.benchmarks.context import Context
from tests.benchmarks.rows import Row, at_most

VILLAGE = "35.10.15.2012"
FRESH, AGAIN = (600.0, 600.0), (60.0, 60.0)
_SEEN = (
    "systemctl is-active kampungnet kampungnet-push kampungnet-backup.timer caddy postgresql prometheus"
    " prometheus-alertmanager | sort -u"
)
_AUTHORITY = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"
_HTTPS = (
    "python3 -c 'from ssl import create_default_context as trust; from urllib.request import urlopen;"
    f' print(urlopen("https://kampungnet.test/healthz", context=trust(cafile="{_AUTHORITY}")).read().decode())\''
)


def site(context: Context) -> list[Row]:
    """Set up a centre with its monitoring and a box, each on a machine of its own, in a network without exit."""
    folder = context.own_folder("ansible")
    base = machines.base(*BOX_PACKAGES, *CENTRE_PACKAGES)
    wheel = machines.wheel(folder)
    wheels = machines.wheels(wheel, "agent", "server")
    with (
        machines.network(folder) as net,
        machines.machine(net, "pusat", base) as centre,
        machines.machine(net, "desa", base, port=2222) as box,
    ):
        door = Door(folder)
        settings = _Settings(net, centre, box, {"program_wheel": str(wheel), "program_wheels": str(wheels)}, door)
        first = net.play(settings.written(), "--tags", "server").went_well()
        settings.learn(centre)
        rest = net.play(settings.written()).went_well()
        again = net.play(settings.written()).went_well()
        _expect(centre, box, again)
        door.try_it(centre, box)
        has_a_second_place_for_backups(centre)
        comes_back_from_its_backup(centre)
        door.lets_reports_in(centre)
    fresh = first.seconds + rest.seconds
    return [
        at_most("site.yml on fresh machines (centre, monitoring, box)", fresh, "s", FRESH),
        at_most("the second run, 0 changed", again.seconds, "s", AGAIN),
    ]


class _Settings:
    """The inventory; two of its secrets are known only when the centre runs."""

    def __init__(self, net: Network, centre: Machine, box: Machine, common: dict[str, str], door: Door) -> None:
        self._file, self._common, own = net.folder / "hosts.json", common, door.for_box()
        self._centre = {
            **centre.inventory(), **door.for_centre(), "server_name": PEOPLE, "server_key": secrets.token_hex(32),
            "server_tls": "internal", "server_push": True,
            "server_settings": {
                "KAMPUNGNET_REMOTE_WRITE_URL": "http://127.0.0.1:9090/api/v1/write",
                "KAMPUNGNET_BACKUP_ALSO": SECOND_DISK,
            },
            "server_inventory_keys": [net.key.with_suffix(".pub").read_text().strip()],
            "monitoring_grafana_reader_password": f"{secrets.token_hex(8)} it's $HOME",
        }  # fmt: skip
        self._box = {
            **box.inventory(), **own, "agent_server_url": f"https://{BOXES}", "agent_read_mostly": True,
            "agent_secrets": {**own["agent_secrets"], "router.password": secrets.token_hex(8)},
            "agent_devices": [{"name": "penunjuk", "driver": "ping", "address": "127.0.0.1", "purpose": "other",
                               "port": 22, "interval_seconds": 10}],
        }  # fmt: skip

    def learn(self, centre: Machine) -> None:
        """Do what two engineers do between the steps: take in the register, ask for a code and for the token."""
        centre.say("kn import-villages banyuwangi")
        self._box["agent_enrolment_code"] = centre.say(f"kn enrol --village {VILLAGE} 2>/dev/null")
        self._centre["monitoring_alerts_token"] = centre.say("kn alerts token 2>/dev/null").split()[-1]
        self._box["agent_server_ca"] = centre.say(f"cat {_AUTHORITY}") + "\n"

    def written(self) -> Path:
        """Write the inventory and return where."""
        groups = {
            "servers": {"hosts": {"pusat": self._centre}}, "monitoring": {"hosts": {"pusat": {}}},
            "boxes": {"hosts": {"desa": self._box}},
        }  # fmt: skip
        self._file.write_text(json.dumps({"all": {"vars": self._common, "children": groups}}))
        return self._file


def _expect(centre: Machine, box: Machine, again: Played) -> None:
    assert again.counts("changed") == {"pusat": 0, "desa": 0}, again.said[-6000:]
    assert centre.say(_SEEN) == "active"
    assert centre.say(_HTTPS) == '{"status":"ok"}'
    assert centre.say("systemctl --failed --no-legend") == ""
    centre.say(
        "tr '\\0' '\\n' < /proc/$(pidof prometheus)/cmdline | grep -xE -- '--storage.tsdb.retention.size=[1-9][0-9]*MB'"
    )
    assert box.say("systemctl is-active kampungnet-agent") == "active"
    assert centre.say(f"{AS_POSTGRES} psql -XtAc 'show data_checksums'") == "on"
    is_kept(centre, restarts=False, without_battery=False)
    is_kept(box, restarts=True, without_battery=True)
    listens_alone(centre, "tcp 22", "tcp 2222", "tcp 443", "tcp 80", "udp 443")
    asked = centre.ask("cat /etc/shadow", user="kampungnet-inventory")
    assert [one["code"] for one in json.loads(asked.stdout) if one["boxes"]] == [VILLAGE], asked
