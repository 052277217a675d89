"""``kampungnet-agent check`` for an OLT: short sentences in Indonesian."""

from collections.abc import Sequence

from kampungnet.shared.wire import Grade, OltBody
from kampungnet_agent.driver import AnswerUnreadable, DeviceError, Finding

from . import ont_check
from .findings import fails, names_of, works


def explain(error: DeviceError, place: str, version: str) -> Finding:
    """Say why nothing could be read, and what to try."""
    if isinstance(error, AnswerUnreadable) and "no table of ONUs" in str(error):
        return fails(
            f"Perangkat di {place} menjawab, tetapi tabel ONU-nya tidak dikenal ({error}). "
            "Periksa apakah ini OLT, dan apakah izin SNMP mencakup tabel ONU."
        )
    return ont_check.explain(error, place, version)


def findings_of(body: OltBody, place: str, wanted: Sequence[str]) -> list[Finding]:
    """Say what this OLT gives about our ONUs."""
    findings = [works(f"OLT menjawab SNMP di {place}: {body.model or 'tanpa nama model'}.")]
    if body.grade is not Grade.RECORDED:
        findings.append(
            works("Model ini ditulis dari dokumen, belum dicoba pada perangkat. Bandingkan angka dengan layar OLT.")
        )
    found = [onu.serial for onu in body.onus]
    lost = [serial for serial in wanted if serial not in found]
    if found:
        findings.append(works(f"{len(found)} ONU ditemukan: {names_of(found)}."))
    searching = next((entry for entry in body.missing if "still searched for" in entry), None)
    if lost and searching:
        findings.append(works(f"{len(lost)} ONU masih dicari sedikit demi sedikit. Jalankan check lagi nanti."))
    elif lost:
        findings.append(fails(f"{len(lost)} ONU tidak ada di OLT ini: {names_of(lost)}. Periksa nomor seri di onus."))
    dark = [onu.serial for onu in body.onus if onu.no_light]
    if dark:
        findings.append(fails(f"Tidak ada cahaya dari: {names_of(dark)}. Periksa kabel fiber."))
    findings.append(works("Ingat: satu OLT hanya boleh dibaca oleh satu agen."))
    return findings
