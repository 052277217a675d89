"""``kampungnet-agent check`` for a command line over SSH: short sentences in Indonesian."""

from kampungnet.shared import wire
from kampungnet.shared.wire import Grade, OltBody, OntBody
from kampungnet_agent.driver import AnswerUnreadable, DeviceError, Finding, LoginRefused

from .findings import fails, names_of, works


def explain(error: DeviceError, place: str) -> Finding:
    """Say why nothing could be read, and what to try."""
    if isinstance(error, LoginRefused) and "host key" in str(error):
        return fails(
            f"Kunci SSH perangkat di {place} berubah. Jika perangkat memang diganti, hapus barisnya dari berkas "
            f"ssh-host-keys; jika tidak, jangan masuk dan hubungi Kominfo ({error})."
        )
    if isinstance(error, LoginRefused):
        return fails(
            f"Perangkat di {place} menolak nama atau kata sandi ({error}). Periksa username dan password_file."
        )
    if isinstance(error, AnswerUnreadable) and "not recognised" in str(error):
        return fails(f"Baris perintah di {place} tidak dikenal ({error}). Isi cli dengan jenis perangkatnya.")
    if isinstance(error, AnswerUnreadable):
        return fails(f"Jawaban dari {place} tidak terbaca ({error}). Periksa cli, atau laporkan perangkat ini.")
    return fails(f"Perangkat di {place} tidak terjangkau lewat SSH ({error}). Periksa kabel, alamat, dan SSH-nya.")


def findings_of(body: wire.Body, place: str) -> list[Finding]:
    """Say what this command line gives."""
    findings = [works(f"Masuk lewat SSH ke {place} berhasil, kunci SSH dicatat.")]
    if isinstance(body, OntBody):
        findings += _ont(body)
    if isinstance(body, OltBody):
        found = [onu.serial for onu in body.onus]
        if found:
            findings.append(works(f"{len(found)} ONU terbaca: {names_of(found)}."))
        findings += [fails(f"ONU tidak terbaca ({entry}). Periksa onus.") for entry in body.missing]
    if isinstance(body, OntBody | OltBody) and body.grade is Grade.NOT_TRIED:
        findings.append(works("Jenis ini belum dicoba pada perangkat. Bandingkan angka dengan layar perangkat."))
    return findings


def _ont(body: OntBody) -> list[Finding]:
    if body.no_light:
        return [fails("Perangkat mengukur cahaya dan tidak ada cahaya sama sekali. Periksa kabel fiber.")]
    if body.rx_power_dbm is None:
        return [works("Perangkat ini tidak memberi level cahaya; bagian itu akan kosong.")]
    return [works(f"Level cahaya terbaca: {f'{body.rx_power_dbm:g}'.replace('.', ',')} dBm.")]
