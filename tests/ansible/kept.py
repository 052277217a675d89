"""What keeps booted machines in order for years: who listens, what bounds and renews, a backup that was used."""

from typing import Final

from tests.ansible.machines import Machine

AS_POSTGRES: Final = "cd / && runuser -u postgres --"
SECOND_DISK: Final = "/mnt/kampungnet"
_BACK_UP: Final = "systemctl start --wait kampungnet-backup"
_HOURS_UNTIL_LATE: Final = (
    "python3 -c 'import time; from urllib.request import urlopen;"
    ' page = urlopen("http://127.0.0.1:8080/metrics?only=state").read().decode().splitlines();'
    ' late = [float(one.split()[-1]) for one in page if "job_late" in one and "backup" in one];'
    " print((late[0] - time.time()) // 3600)'"
)
_OPEN: Final = (
    "ss -Htlnu | awk '{print $1, $5}' | grep -vE '(127[.0-9]*|\\[::1\\])(%lo)?:[0-9]+$' | sed 's/ .*:/ /' | sort -u"
)


def listens_alone(machine: Machine, *doors: str) -> None:
    """Expect that beyond loopback nothing is open but these, as ``tcp 443``: there is no firewall on it."""
    assert machine.say(f"{_OPEN} || true").splitlines() == sorted(doors)


def is_kept(machine: Machine, *, restarts: bool, without_battery: bool) -> None:
    """Expect security updates, bounded logs, and where it has no battery, a clock that begins near the truth."""
    said = machine.say("apt-config dump")
    assert 'APT::Periodic::Unattended-Upgrade "1"' in said
    assert f'Unattended-Upgrade::Automatic-Reboot "{str(restarts).lower()}"' in said
    assert machine.say("systemctl is-enabled apt-daily-upgrade.timer logrotate.timer chrony").split() == ["enabled"] * 3
    assert machine.say("sed -n 's/^DAEMON_OPTS=//p' /etc/default/chrony") == f'"-F 1{" -s" * without_battery}"'
    said = machine.say("logrotate --debug /etc/logrotate.conf 2>/dev/null && unattended-upgrade --dry-run --debug 2>&1")
    (allowed,) = [line for line in said.splitlines() if line.startswith("Allowed origins are: ")]
    for archive in ("Debian,codename=bookworm-security", "Raspberry Pi Foundation,codename=bookworm"):
        assert f"origin={archive},label=" in allowed


def has_a_second_place_for_backups(centre: Machine) -> None:
    """Make a backup without the second disk, which is told of, and one with it."""
    assert centre.ask(_BACK_UP).returncode != 0
    assert "Is its disk mounted?" in centre.say("journalctl -u kampungnet-backup")
    assert float(centre.say(_HOURS_UNTIL_LATE)) < 0
    centre.say(f"mount -t tmpfs tmpfs /mnt && install -d -o kampungnet -g kampungnet -m 700 {SECOND_DISK}")
    centre.say(_BACK_UP)
    assert float(centre.say(_HOURS_UNTIL_LATE)) > 30
    first, *_ = centre.say("ls -t /var/backups/kampungnet").split()
    centre.say(f"cmp /var/backups/kampungnet/{first} {SECOND_DISK}/{first}")
    assert centre.say(f"ls {SECOND_DISK}") == first


def comes_back_from_its_backup(centre: Machine) -> None:
    """Lose the database, and do what docs/installing.md says of restoring."""
    file = centre.say(f"{_BACK_UP} && ls -d /var/backups/kampungnet/* | tail -1")
    before = centre.say(f"{AS_POSTGRES} psql -XtAd kampungnet -c 'select count(*), max(id) from agents'")
    centre.say(f"kn restore {file} --check")
    centre.say("systemctl stop kampungnet kampungnet-push")
    centre.say(f"{AS_POSTGRES} dropdb kampungnet")
    centre.say(f"{AS_POSTGRES} createdb --owner kampungnet --template template0 --encoding UTF8 kampungnet")
    centre.say(f"kn restore {file} --force")
    centre.say("systemctl start kampungnet kampungnet-push")
    assert centre.say(f"{AS_POSTGRES} psql -XtAd kampungnet -c 'select count(*), max(id) from agents'") == before
    centre.say("kn audit verify")
    centre.say(
        f"{AS_POSTGRES} psql -Xd kampungnet -c 'set role kampungnet_reader' -c 'select count(*) from villages_read'"
    )
