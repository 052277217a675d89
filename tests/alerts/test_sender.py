"""Messages really leave: through apprise to a real HTTP server and a real mail server on loopback."""

import socket
import subprocess
import sys
from email import message_from_bytes, policy

import pytest

from kampungnet.alerts.sender import Parcel, Result, send
from kampungnet.core import reach
from tests.alerts.far_ends import chat, mailbox

TEXT = 'GANGGUAN: <b>Desa</b> & "Satu" *x* _y_ \N{FACE WITH TEARS OF JOY}\nSejak pukul 11.00\nhttps://kn.example/gangguan/i1'


def test_parcels_arrive_as_they_were_written_and_each_says_what_became_of_it() -> None:
    with chat() as far, chat() as broken, mailbox() as (port, mails):
        broken.status = 500
        results = send([
            Parcel(far.address, TEXT),
            Parcel(broken.address, TEXT),
            Parcel("json://127.0.0.1:1/nobody", TEXT),
            Parcel("nonsense://x", TEXT),
            Parcel("syslog://", TEXT),
            Parcel(f"mailto://127.0.0.1:{port}?from=kn@example.id&to=sari@example.id&mode=insecure", TEXT),
            Parcel(far.address, "satu baris"),
        ])  # fmt: skip
    refused, unreachable, unknown = (Result(sent=False, problem=one) for one in ("refused", "unreachable", "address"))
    sent = Result(sent=True)
    assert results == [sent, refused, unreachable, unknown, unknown, sent, sent]
    assert far.messages == [TEXT, "satu baris"]
    (mail,) = (message_from_bytes(one, policy=policy.default) for one in mails)
    assert mail["subject"] == TEXT.split("\n", maxsplit=1)[0]
    body = mail.get_body(("plain", "html"))
    assert body is not None
    assert "Sejak pukul 11.00" in body.get_content()


def test_a_message_goes_where_it_was_typed_for_and_nowhere_else() -> None:
    with chat() as far, chat() as sly:
        sly.status, sly.elsewhere = 307, far.address.replace("json://", "http://")
        results = send([Parcel(sly.address, TEXT), Parcel(f"{sly.address}?redirect=yes", TEXT)])
    assert (sly.asked, far.asked) == (2, 0)
    assert results == [Result(sent=False, problem="refused")] * 2


def test_nobody_makes_the_server_knock_at_what_stands_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(reach.NETWORKS)
    with chat() as far, mailbox() as (port, mails):
        results = send([
            Parcel(far.address, TEXT),
            Parcel(far.address.replace("127.0.0.1", "localhost"), TEXT),
            Parcel(f"mailto://127.0.0.1:{port}?from=kn@example.id&to=sari@example.id&mode=insecure", TEXT),
        ])  # fmt: skip
    assert (far.asked, mails) == (0, [])
    assert [one.problem for one in results] == ["inside"] * 3


def test_a_service_that_hangs_is_ended_and_what_went_out_before_is_known() -> None:
    with chat() as far, socket.create_server(("127.0.0.1", 0)) as deaf:
        hanging = f"mailtos://127.0.0.1:{deaf.getsockname()[1]}?from=kn@example.id&to=sari@example.id&mode=ssl&cto=60"
        first, second = send([Parcel(far.address, TEXT), Parcel(hanging, TEXT)], seconds=5)
    assert second == Result(sent=False, problem="slow")
    assert first.sent is (far.messages == [TEXT]), "on a slow machine the first one was too slow as well"


def test_the_process_that_sends_loads_no_server_and_nobody_prints_an_address() -> None:
    code = (
        "import sys, kampungnet.alerts.sender; print(sorted({'sqlalchemy', 'fastapi', 'apprise'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
    assert "rahasia" not in repr(Parcel("json://127.0.0.1:1/rahasia-9d41", TEXT))
