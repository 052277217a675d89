"""Every setting of the server in one place: looked at when it starts, so that a slip is not found at midnight.

What each means stands in ``docs/settings.md``; each is read by the part that it is for.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from kampungnet.alerts import gather, outbox
from kampungnet.core import address, certificate, reach
from kampungnet.core.errors import BadInput
from kampungnet.hotspot import sessions
from kampungnet.measurement import installation
from kampungnet.measurement.retention import Retention
from kampungnet.metrics import discovery, store
from kampungnet.shared.settings_file import did_you_mean
from kampungnet.staff import second_factor

PREFIX: Final = "KAMPUNGNET_"
FILES: Final = frozenset({
    "KAMPUNGNET_BACKUP_ALSO", "KAMPUNGNET_DATA", "KAMPUNGNET_DATABASE_URL", "KAMPUNGNET_KEY_FILE",
    certificate.CERTIFICATE, store.TOKEN_FILE, store.BASIC_AUTH_FILE,
})  # fmt: skip
"""What they name comes and goes, and is not for each service to read: who opens it says what is wrong with it."""
OF_OTHERS: Final = frozenset({
    "KAMPUNGNET_BOX_NAME", "KAMPUNGNET_VILLAGES", "KAMPUNGNET_POSTGRESQL_ADDRESS", "KAMPUNGNET_POSTGRESQL_SSLMODE",
    "KAMPUNGNET_PROMETHEUS_URL", "KAMPUNGNET_READER_PASSWORD",
})  # fmt: skip
"""Of Ansible's list of villages and of Grafana: nothing to the server, and no mistake."""

Check = Callable[[Mapping[str, str]], object]


CHECKS: Final[Mapping[Check, frozenset[str]]] = {
    address.checked: frozenset({address.ADDRESS}),
    reach.networks: frozenset({reach.NETWORKS}),
    second_factor.roles: frozenset({second_factor.SETTING}),
    installation.policy: frozenset({installation.LINE_MBPS, installation.LONGEST_STEP_SECONDS}),
    installation.office: frozenset({installation.OFFICE_OPENS, installation.OFFICE_CLOSES}),
    partial(installation.thresholds, "Asia/Jakarta"): frozenset(
        {installation.OUTAGE_MINUTES, installation.CALM_MINUTES}
    ),
    installation.grouping: frozenset({installation.TOGETHER_SECONDS, installation.INCIDENT_PERCENT}),
    Retention.of: frozenset(Retention.settings()),
    sessions.keep_days: frozenset({sessions.KEEP_SETTING}),
    store.address: frozenset({store.URL}),
    store.window_ms: frozenset({store.WINDOW_DAYS}),
    discovery.pattern: frozenset({discovery.TARGETS}),
    outbox.damping: frozenset({outbox.AFTER_MINUTES}),
    gather.urgent_villages: frozenset({gather.URGENT_VILLAGES}),
}
"""Who reads what. Each raises ``BadInput`` with the name of the setting that is wrong."""
KNOWN: Final = FILES.union(*CHECKS.values())


def check(environment: Mapping[str, str]) -> None:
    """Look at every setting. Raises ``BadInput`` naming the one that is wrong, or that nobody knows."""
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in KNOWN | OF_OTHERS:
            raise BadInput(f"The setting {name} is unknown; {did_you_mean(name, KNOWN)}.")
    for read in CHECKS:
        read(environment)
