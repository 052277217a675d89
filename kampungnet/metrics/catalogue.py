"""Every metric family there is: the live page is described from here, and `docs/metrics.md` is generated from it.

Conventions (facts: operations 2.3): one prefix, one base unit as suffix, `_total` for counters, `_info` for facts,
`_timestamp_seconds` for "when". Labels are codes and names of devices; names of places stand in `_info` only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kampungnet.core.tally import COUNTED


class Kind(StrEnum):
    """How the values of a family behave."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    HISTOGRAM = "histogram"


class Source(StrEnum):
    """Where the values come from, and so how they reach a metrics store."""

    READING = "reading"
    """A device said it: pushed by remote write with the reading's own time, shown live as well."""
    STATE = "state"
    """The server judges or counts it at this moment: scraped."""
    BOX = "box"
    """The agent about itself, on its own page, where the box's settings switch it on."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family. ``labels`` are those of every series, ``facts`` those that only an info has."""

    name: str
    """As it is asked for, with its suffix."""
    kind: Kind
    unit: str
    """Empty for plain numbers."""
    help: str
    labels: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    source: Source = Source.STATE

    @property
    def base(self) -> str:
        """The name without the suffix of its kind, as samples are given."""
        return self.name.removesuffix("_total").removesuffix("_info")


_VILLAGE: Final = ("regency", "district", "village")
_DEVICE: Final = (*_VILLAGE, "device")
_INCIDENT: Final = ("regency", "district", "incident")


def _gauge(name: str, unit: str, text: str, labels: tuple[str, ...] = (), source: Source = Source.STATE) -> Family:
    return Family(name, Kind.GAUGE, unit, text, labels, source=source)


def _counter(name: str, unit: str, text: str, labels: tuple[str, ...] = (), source: Source = Source.STATE) -> Family:
    return Family(name, Kind.COUNTER, unit, text, labels, source=source)


def _read(name: str, unit: str, text: str, *more: str) -> Family:
    return _gauge(name, unit, text, (*_DEVICE, *more), Source.READING)


_OF_DEVICES: Final = (
    Family("kampungnet_device_info", Kind.INFO, "", "Facts about a device.", _DEVICE, ("kind", "model", "version"),
           Source.READING),
    Family("kampungnet_onu_info", Kind.INFO, "", "What the OLT says of a village's ONT.", _DEVICE,
           ("state", "last_down_cause"), Source.READING),
    _read("kampungnet_device_up", "", "1 when the newest poll of a device succeeded."),
    _gauge("kampungnet_device_last_reading_timestamp_seconds", "seconds",
           "When the newest reading of a device was taken: it stands while the device is silent.", _DEVICE),
    _read("kampungnet_device_uptime_seconds", "seconds", "Time since a device started."),
    _read("kampungnet_device_temperature_celsius", "celsius", "Highest temperature a device reports."),
    _read("kampungnet_router_cpu_load_ratio", "ratio", "Processor load, 0 to 1."),
    _read("kampungnet_router_free_memory_bytes", "bytes", "Free memory."),
    _read("kampungnet_router_free_storage_bytes", "bytes", "Free flash."),
    _read("kampungnet_router_storage_bytes", "bytes", "All flash, free or not."),
    _read("kampungnet_hotspot_sessions", "", "Devices logged in at the portal."),
    _read("kampungnet_hotspot_hosts", "", "Devices the hotspot sees."),
    _read("kampungnet_hotspot_usable", "", "1 when the box found that a citizen can get online at the portal."),
    _read("kampungnet_dhcp_leases", "", "Addresses given out."),
    _read("kampungnet_wireless_clients", "", "Devices on a router's or an access point's radios."),
    _read("kampungnet_ping_up", "", "1 when a ping came back.", "target"),
    _read("kampungnet_ping_rtt_seconds", "seconds", "Round trip of a ping by the router, or to a device by the agent.",
          "target"),
    _read("kampungnet_onu_up", "", "1 when the OLT says that a village's ONT is at work."),
    _read("kampungnet_ont_rx_power_dbm", "dbm", "Light received on the village's line."),
    _read("kampungnet_ont_tx_power_dbm", "dbm", "Light sent on the village's line."),
    _read("kampungnet_ont_no_light", "", "1 when the unit measures darkness."),
    _read("kampungnet_onu_olt_rx_power_dbm", "dbm", "Light of a village's ONT at the OLT."),
    _counter("kampungnet_interface_receive_bytes_total", "bytes", "Bytes an interface received, as the device counts.",
             (*_DEVICE, "interface"), Source.READING),
    _counter("kampungnet_interface_transmit_bytes_total", "bytes", "Bytes an interface sent, as the device counts.",
             (*_DEVICE, "interface"), Source.READING),
)  # fmt: skip

_OF_VILLAGES: Final = (
    Family("kampungnet_village_info", Kind.INFO, "", "A village of the register.", _VILLAGE,
           ("name", "district_name", "kind")),
    Family("kampungnet_agent_info", Kind.INFO, "", "The box of a village.", _VILLAGE, ("version", "board")),
    Family("kampungnet_village_incident_info", Kind.INFO, "", "A village without service that belongs to an incident.",
           _VILLAGE, ("incident", "cause")),
    _gauge("kampungnet_village_up", "", "1 when the line works, 0 when not; absent while a village is silent.",
           _VILLAGE),
    _gauge("kampungnet_outage_since_timestamp_seconds", "seconds", "When the outage that lasts began.",
           (*_VILLAGE, "cause")),
    _gauge("kampungnet_budget_end_timestamp_seconds", "seconds",
           "Beginning of the first month that a budget line of this year cannot pay in full.", _VILLAGE),
    _gauge("kampungnet_agent_last_report_timestamp_seconds", "seconds", "When the last report was stored.", _VILLAGE),
    _gauge("kampungnet_agent_spool_readings", "", "Readings waiting on the box, at its last report.", _VILLAGE),
    _gauge("kampungnet_agent_spool_oldest_timestamp_seconds", "seconds", "When the oldest waiting reading was taken.",
           _VILLAGE),
    _gauge("kampungnet_agent_clock_offset_seconds", "seconds", "The box's clock minus the server's.", _VILLAGE),
    _counter("kampungnet_agent_conflicts_total", "", "Readings that came twice with different content.", _VILLAGE),
    _counter("kampungnet_agent_dropped_readings_total", "", "Readings the box dropped because its spool was full.",
             _VILLAGE),
)  # fmt: skip

_OF_REGENCIES: Final = (
    Family("kampungnet_incident_info", Kind.INFO, "",
           "What went dark together, in the district of most of its villages.", _INCIDENT, ("cause", "place")),
    _gauge("kampungnet_incident_since_timestamp_seconds", "seconds", "When an incident that lasts began.", _INCIDENT),
    _gauge("kampungnet_incident_villages", "", "Villages that are without service by an incident now.", _INCIDENT),
    _gauge("kampungnet_incidents_open", "", "Incidents of two villages and more that last.", ("regency",)),
    _gauge("kampungnet_outages_open", "", "Outages that last.", ("regency",)),
)  # fmt: skip

_OF_SERVER: Final = (
    *(_counter(f"kampungnet_ingest_{subject}_total", "", f"What came to the agents' door since the start: {subject}.",
               ("result",)) for subject in dict(COUNTED)),
    Family("kampungnet_ingest_duration_seconds", Kind.HISTOGRAM, "seconds",
           "From a whole report to its receipt, the commit included."),
    _gauge("kampungnet_certificate_end_timestamp_seconds", "seconds",
           "End of the certificate in the file that KAMPUNGNET_CERTIFICATE names."),
    _gauge("kampungnet_job_last_success_timestamp_seconds", "seconds",
           "When a job of the clock (backup, audit, close-month) succeeded last; absent until it did.", ("task",)),
    _gauge("kampungnet_job_late_timestamp_seconds", "seconds",
           "From when on a job of the clock is late: since it failed, or when its success is overdue.", ("task",)),
)  # fmt: skip

_STORE: Final = ("regency", "store")
_OF_STORES: Final = (
    _gauge("kampungnet_remote_write_up", "", "1 unless a metrics store takes nothing now.", _STORE),
    _gauge("kampungnet_remote_write_stored_timestamp_seconds", "seconds",
           "All readings that were stored before were pushed to the metrics store.", _STORE),
    _counter("kampungnet_remote_write_samples_total", "", "Samples the metrics store took, repeats included.", _STORE),
    _counter("kampungnet_remote_write_samples_dropped_total", "",
             "Samples that are in the database only: future, too_old or refused.", (*_STORE, "reason")),
)  # fmt: skip

_BOX: Final = (
    _gauge("kampungnet_agent_spool_readings", "", "Readings waiting for their receipt", source=Source.BOX),
    _gauge("kampungnet_agent_spool_oldest_timestamp_seconds", "seconds", "Oldest waiting reading", source=Source.BOX),
    _counter("kampungnet_agent_dropped_readings_total", "", "Dropped at the cap or too old", source=Source.BOX),
    _counter("kampungnet_agent_refused_readings_total", "", "Set aside, refused by the server", source=Source.BOX),
    _counter("kampungnet_agent_corrupt_readings_total", "", "Damaged rows and spools set aside", source=Source.BOX),
    _counter("kampungnet_agent_lost_readings_total", "", "Readings the spool could not take", source=Source.BOX),
    _counter("kampungnet_agent_sent_readings_total", "", "Readings the server receipted", source=Source.BOX),
    _counter("kampungnet_agent_send_failures_total", "", "Reports without a receipt", source=Source.BOX),
    _gauge("kampungnet_agent_credential_refused", "", "1 when the server answers 401 or 403", source=Source.BOX),
    _gauge("kampungnet_agent_last_receipt_timestamp_seconds", "seconds", "Newest receipt, by the box's clock",
           source=Source.BOX),
    _counter("kampungnet_agent_polls_total", "", "Polls by their ending", ("device", "outcome"), Source.BOX),
    _gauge("kampungnet_agent_poll_duration_seconds", "seconds", "Duration of the last poll", ("device",), Source.BOX),
)  # fmt: skip

OF_BOX: Final = {one.name: one for one in _BOX}
"""What an agent shows itself; some of it the server shows too, with the codes of the village."""
FAMILIES: Final = {one.name: one for one in (*_OF_DEVICES, *_OF_VILLAGES, *_OF_REGENCIES, *_OF_SERVER, *_OF_STORES)}
"""What the server shows and pushes, by name."""
BY_BASE: Final = {one.base: one for one in FAMILIES.values()}


def family(base: str, kind: Kind, labels: tuple[str, ...]) -> Family:
    """Return the family of a sample. Raises ``LookupError`` when the catalogue knows it otherwise, or not at all."""
    found = BY_BASE[base]
    if found.kind is not kind or found.labels != labels:
        raise LookupError(f"{base}: the catalogue has {found.kind} with {found.labels}, not {kind} with {labels}")
    return found
