"""``kampungnet-agent check`` for a fibre unit over SNMP: short sentences in Indonesian."""

from kampungnet.shared.wire import OntBody
from kampungnet_agent.driver import AnswerUnreadable, DeviceError, Finding, LoginRefused

from .findings import fails, names_of, works


def explain(error: DeviceError, place: str, version: str) -> Finding:
    """Say why nothing could be read, and what to try. Version 2c cannot tell a wrong community from silence."""
    if isinstance(error, LoginRefused):
        return fails(
            f"Perangkat di {place} menolak akses SNMP ({error}). "
            "Periksa username, password_file dan auth_protocol, serta izin baca di perangkat."
        )
    if isinstance(error, AnswerUnreadable):
        return fails(
            f"Jawaban SNMP dari {place} tidak terbaca ({error}). Perbarui firmware atau laporkan perangkat ini."
        )
    if "not reachable" in str(error):
        return fails(f"Nama atau alamat {place} tidak dapat dihubungi ({error}). Periksa address di agent.toml.")
    if version == "3":
        return fails(
            f"Tidak ada jawaban dari {place}. Periksa kabel, alamat, dan apakah SNMP versi 3 diaktifkan di perangkat."
        )
    return fails(
        f"Tidak ada jawaban dari {place}: perangkat mati, SNMP belum diaktifkan, atau community salah "
        "(pada SNMP 2c keduanya tampak sama). Periksa ketiganya."
    )


def findings_of(body: OntBody, place: str, wan_interface: str) -> list[Finding]:
    """Say what this device gives."""
    findings = [works(f"Perangkat menjawab SNMP di {place}: {body.model or 'tanpa nama model'}.")]
    findings.append(_light(body))
    names = [reading.interface for reading in body.interfaces]
    if any(entry.startswith("64-bit") for entry in body.missing):
        findings.append(
            fails(
                "Penghitung 64-bit tidak ada; lalu lintas di atas 500 Mbit/s tidak terukur benar. Ukur di router saja."
            )
        )
    elif names:
        findings.append(works(f"{len(names)} antarmuka terbaca dengan penghitung 64-bit."))
    if wan_interface and wan_interface not in names:
        findings.append(fails(f"wan_interface '{wan_interface}' tidak ada. Pilih salah satu: {names_of(names)}."))
    return findings


def _light(body: OntBody) -> Finding:
    several = next((entry for entry in body.missing if "set light_port" in entry), None)
    if several is not None:
        return fails(f"Beberapa port mengukur cahaya ({several}). Isi light_port dengan port yang benar.")
    if body.no_light:
        return fails("Perangkat mengukur cahaya dan tidak ada cahaya sama sekali. Periksa kabel fiber.")
    if body.rx_power_dbm is None:
        return works("Perangkat ini tidak memberi level cahaya lewat SNMP; bagian itu akan kosong.")
    return works(f"Level cahaya terbaca: {_number(body.rx_power_dbm)} dBm.")


def _number(value: float) -> str:
    """Write a number as Indonesians do."""
    return f"{value:g}".replace(".", ",")
