"""The certificate a box shows to a web server in front: what is refused at once, what only stops the sending."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.line import Answer, CertificateRefusedError, Line, LineError
from kampungnet_agent.own_certificate import OwnCertificate, OwnCertificateError, is_refusing_page
from kampungnet_agent.settings import read_server_table
from kampungnet_agent.setup import Places, _own
from tests.support.front import Authority, Pair

Versions = ssl.TLSVersion


class _Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer = (200, b"ok")

    def do_POST(self) -> None:
        status, body = self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass  # whoever is refused hangs up


@contextmanager
def _asking(own: Pair, authority: Path | None, version: ssl.TLSVersion = Versions.TLSv1_3,
            answer: tuple[int, bytes] = (200, b"ok")) -> Iterator[str]:  # fmt: skip
    """Serve over TLS, for those alone who show a certificate of the authority when there is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own)
    context.minimum_version = context.maximum_version = version
    if authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority)
    server = _Quiet(("127.0.0.1", 0), type("Page", (_Page,), {"answer": answer}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _asked(line: Line) -> Answer:
    try:
        return line.request("POST", "/")
    finally:
        line.close()


@pytest.mark.parametrize("version", [Versions.TLSv1_2, Versions.TLSv1_3])
def test_the_alert_of_a_server_that_wants_another_certificate_is_told_from_a_broken_line(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    boxes, strangers = Authority(tmp_path, "boxes"), Authority(tmp_path, "strangers")
    right, foreign = OwnCertificate(*boxes.issue("right")), OwnCertificate(*strangers.issue("foreign"))
    big = b"x" * 4_000_000  # more than fits on the way, so that the sending breaks and not the reading
    with _asking(boxes.issue("web", server=True), boxes.certificate, version) as url:
        assert _asked(Line(url, boxes.certificate, own=right)).body == b"ok"
        for body in (b"", big):
            with pytest.raises(
                CertificateRefusedError, match=r"refuses the certificate of this box; is it of the right"
            ):
                Line(url, boxes.certificate, own=foreign).request("POST", "/", body)


def test_without_any_certificate_the_alert_says_that_one_is_wanted(tmp_path: Path) -> None:
    boxes = Authority(tmp_path, "boxes")
    with (
        _asking(boxes.issue("web", server=True), boxes.certificate) as url,
        pytest.raises(CertificateRefusedError, match="wants a certificate of this box; set client_certificate_file"),
    ):
        Line(url, boxes.certificate).request("POST", "/")


@pytest.mark.parametrize("status", [400, 403, 496])
def test_the_page_of_the_web_server_in_front_is_told_from_an_answer_of_ours(tmp_path: Path, status: int) -> None:
    boxes = Authority(tmp_path, "boxes")
    web = boxes.issue("web", server=True)
    page = b"<center>No required SSL certificate was sent</center>"
    with _asking(web, None, answer=(status, page)) as url, pytest.raises(CertificateRefusedError):
        Line(url, boxes.certificate).request("POST", "/")
    with _asking(web, None, answer=(status, b"<h1>Masuk dulu</h1>")) as url:
        assert _asked(Line(url, boxes.certificate)).status == status
    assert not is_refusing_page(200, page)


def test_what_is_wrong_with_the_files_is_one_sentence_and_stops_only_the_sending(tmp_path: Path) -> None:
    boxes = Authority(tmp_path, "boxes")
    pair, other = boxes.issue("one"), boxes.issue("other")
    wrong = {
        "nowhere.pem of this box's own certificate cannot be read": (tmp_path / "nowhere.pem", pair.key),
        "are no certificate and its key": (pair.certificate, other.key),
        "are no certificate and its key (NO_START_LINE": (pair.key, pair.key),
        "locked by a password": (pair.certificate, _locked(pair.key)),
        "certificate has expired": tuple(boxes.issue("over", days=-1)),
        "unsuitable certificate purpose": tuple(boxes.issue("web", server=True)),
    }
    for sentence, files in wrong.items():
        with pytest.raises(OwnCertificateError) as error:
            OwnCertificate(*files).valid_until()
        assert sentence.partition(" (")[0] in str(error.value)
    assert OwnCertificate(*pair).valid_until().endswith("GMT")
    with _asking(boxes.issue("front", server=True), None) as url:
        line = Line(url, boxes.certificate, own=OwnCertificate(tmp_path / "nowhere.pem", pair.key))
        with pytest.raises(LineError, match=r"nowhere\.pem"):
            line.request("POST", "/")
        (tmp_path / "nowhere.pem").write_bytes(pair.certificate.read_bytes())
        assert _asked(line).status == 200, "a file that came later is seen without a new start"


def _locked(key: Path) -> Path:
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    path = key.with_name("locked.key")
    path.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
    )
    return path


def _settings(folder: Path, *lines: str) -> Path:
    path = folder / "agent.toml"
    path.write_text("\n".join(["[server]", 'url = "https://a"', 'credential_file = "x"', *lines]))
    return path


def test_half_of_a_pair_a_key_others_may_read_and_a_slip_of_the_pen_are_refused(tmp_path: Path) -> None:
    pair = Authority(tmp_path, "boxes").issue("box")
    certificate, key = f'client_certificate_file = "{pair.certificate}"', f'client_key_file = "{pair.key}"'
    for half in (certificate, key):
        with pytest.raises(SettingsError, match="set both or none"):
            read_server_table(_settings(tmp_path, half))
    with pytest.raises(SettingsError, match='did you mean "client_key_file"'):
        read_server_table(_settings(tmp_path, certificate, key.replace("key_file", "key_flie")))
    assert read_server_table(_settings(tmp_path, certificate, key)).client_key_file == str(pair.key)
    pair.key.chmod(0o644)
    with pytest.raises(SettingsError, match=r"open to every user of this machine; run: chmod 640"):
        read_server_table(_settings(tmp_path, certificate, key))
    pair.key.unlink()
    assert read_server_table(_settings(tmp_path, certificate, key)).client_key_file, "missing stops no measuring"


def test_a_box_set_up_by_its_kit_shows_what_was_put_beside_its_settings(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path)
    assert _own(places) is None
    Authority(tmp_path, "boxes").issue("client")
    assert _own(places) == (tmp_path / "client.pem", tmp_path / "client.key")
    (tmp_path / "client.key").chmod(0o644)
    with pytest.raises(SettingsError, match="open to every user"):
        _own(places)
