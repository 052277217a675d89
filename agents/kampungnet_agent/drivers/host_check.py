"""``kampungnet-agent check`` for cameras and other hosts: short sentences in Indonesian."""

from kampungnet.shared import wire
from kampungnet.shared.wire import HostBody
from kampungnet_agent.driver import DeviceError, Finding

from .findings import fails, names_of, works


def explain(error: DeviceError, place: str) -> Finding:
    """Say why nothing answered, and what to try."""
    if "ping_group_range" in str(error):
        return fails(
            f"Kotak ini tidak boleh mengirim ping ke {place}. Isi port dengan port TCP perangkat, "
            "atau minta Kominfo membuka net.ipv4.ping_group_range."
        )
    return fails(f"Perangkat di {place} tidak menjawab ({error}). Periksa listrik, kabel dan address.")


def reached(body: wire.Body, place: str) -> list[Finding]:
    """Say what of this host answers."""
    if not isinstance(body, HostBody):
        return []
    findings = [_ping(one, place) for one in body.pings]
    for service in body.services:
        if service.answers:
            findings.append(works(f"Layanan {service.name} di port {service.port} menjawab."))
        else:
            findings.append(fails(f"Layanan {service.name} di port {service.port} tidak menjawab. Periksa portnya."))
    if body.interfaces:
        findings.append(
            works(f"{len(body.interfaces)} antarmuka terbaca: {names_of([i.interface for i in body.interfaces])}.")
        )
    return findings


def _ping(ping: wire.Ping, place: str) -> Finding:
    if ping.rtt_ms is None:
        return fails(f"Tidak ada balasan ping dari {place}. Mungkin ping ditutup di perangkat itu.")
    return works(f"Perangkat di {place} menjawab dalam {f'{ping.rtt_ms:.1f}'.replace('.', ',')} ms.")
