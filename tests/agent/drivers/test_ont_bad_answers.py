"""Bytes no SNMP device should send: a right reading or a named failure, in time and in bounds."""

import asyncio
import contextlib
import socket
import threading
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]
from pysnmp.proto import rfc1902  # type: ignore[import-untyped]
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]

from kampungnet.shared import wire
from kampungnet_agent.driver import AnswerUnreadable, DeviceUnreachable
from kampungnet_agent.drivers import snmp_session, snmp_table, snmp_v2c
from kampungnet_agent.drivers.ont_snmp import OntSnmpDriver
from kampungnet_agent.drivers.snmp_ber import NotSnmp, Question, Value, decode, encode
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_snmp import Plain, ScriptedAgent, answering, optical_router
from tests.support.ports import free_port

GOOD = (40, 3302, 7, -4879, -5673)
SYS_NAME = Question(((1, 3, 6, 1, 2, 1, 1, 5, 0),))


@pytest.fixture
def first_stray_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on the first wrong answer, where no right one comes anyway: no need to wait for more."""
    monkeypatch.setattr(snmp_v2c, "MOST_STRAYS", 1)


async def poll(agent: ScriptedAgent) -> wire.OntBody:
    async with answering(agent) as address:
        driver = OntSnmpDriver(Settings(address=address, wan_interface="ether1"))
        try:
            body = (await driver.poll()).body
        finally:
            await driver.close()
    assert isinstance(body, wire.OntBody)
    return body


def with_another_number(datagram: bytes) -> list[bytes]:
    message, _ = decoder.decode(datagram, asn1Spec=v2c.Message())
    v2c.apiPDU.set_request_id(v2c.apiMessage.get_pdu(message), 4711)
    return [encoder.encode(message)]


async def test_answers_with_the_wrong_request_id_are_a_named_failure_within_the_deadline() -> None:
    with pytest.raises(AnswerUnreadable, match="another request's number"):
        await poll(ScriptedAgent(optical_router({2: GOOD}), spoil=with_another_number))


async def test_an_old_answer_before_the_right_one_is_passed_over() -> None:
    agent = ScriptedAgent(optical_router({2: GOOD}), spoil=lambda data: [*with_another_number(data), b"junk", data])
    assert (await poll(agent)).rx_power_dbm == -5.673


async def test_a_flood_of_wrong_answers_ends_with_the_fiftieth() -> None:
    with pytest.raises(AnswerUnreadable, match="50 answers that fit no question"):
        await poll(ScriptedAgent(optical_router({2: GOOD}), spoil=lambda _: [b"\x30\x82"] * 60))


async def test_an_answer_that_came_while_the_box_was_busy_counts_though_its_time_is_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind(("127.0.0.1", 0))
        answered = threading.Event()

        def answer() -> None:
            question, asker = device.recvfrom(1000)
            device.sendto(question.replace(b"\xa0", b"\xa2", 1), asker)  # GET becomes Response, all else stays
            answered.set()

        def stall() -> None:
            assert answered.wait(30)
            time.sleep(0.2)  # the deadline passes

        threading.Thread(target=answer, daemon=True).start()
        asked = asyncio.create_task(snmp_v2c.ask((device.family, device.getsockname()), b"", SYS_NAME, 0.1, 1))
        await asyncio.sleep(0)  # it is sent
        stall()
        assert (await asked).bindings == [(SYS_NAME.oids[0], None)]


@pytest.mark.parametrize("cut", [1, 7, 30, 60])
@pytest.mark.usefixtures("first_stray_counts")
async def test_a_cut_datagram_is_a_named_failure(cut: int) -> None:
    with pytest.raises(AnswerUnreadable, match="not SNMP 2c"):
        await poll(ScriptedAgent(optical_router({2: GOOD}), spoil=lambda data: [data[:-cut]]))


async def test_a_closed_port_says_that_snmp_is_off() -> None:
    driver = OntSnmpDriver(Settings(address=f"127.0.0.1:{free_port()}"))
    with pytest.raises(DeviceUnreachable, match="SNMP is switched off"):
        await driver.poll()


@pytest.mark.parametrize("wrong", [b"\xff\xfeteks", "1.3.6.1", 2**40, 2**64 - 1, b""])
async def test_values_of_the_wrong_type_are_missing_and_still_travel(wrong: Plain) -> None:
    values = {name: wrong if name.count(".") > 9 else value for name, value in optical_router({2: GOOD}).items()}
    body = await poll(ScriptedAgent(values))
    assert msgspec.json.decode(msgspec.json.encode(body), type=wire.OntBody) == body
    assert body.rx_power_dbm is None
    assert all(one.rx_bytes in {None, 2**40} for one in body.interfaces)


async def test_a_device_whose_packets_are_small_is_asked_for_less_at_a_time() -> None:
    agent = ScriptedAgent(optical_router({2: GOOD}), most_values=8)
    whole = await poll(ScriptedAgent(optical_router({2: GOOD})))
    assert await poll(agent) == whole


async def test_a_device_to_which_everything_is_too_big_is_a_named_failure() -> None:
    with pytest.raises(AnswerUnreadable, match="tooBig"):
        await poll(ScriptedAgent(optical_router({2: GOOD}), status=1))


async def test_an_endless_table_ends_at_the_row_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snmp_table, "MOST_ROWS", 40)
    values = optical_router({})
    values |= {f"1.3.6.1.2.1.31.1.1.1.1.{index}": f"if{index}".encode() for index in range(3, 400)}
    assert len((await poll(ScriptedAgent(values))).interfaces) == 40


async def test_of_20_devices_the_5_dead_ones_delay_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snmp_session, "TIMEOUT_SECONDS", 60.0)
    async with (
        answering(ScriptedAgent({}, community=b"another")) as nowhere,
        answering(ScriptedAgent(optical_router({2: GOOD}))) as address,
        asyncio.TaskGroup() as polls,
    ):
        dead, alive = (
            [polls.create_task(OntSnmpDriver(Settings(address=place)).poll()) for _ in range(count)]
            for place, count in ((nowhere, 5), (address, 15))
        )
        async with asyncio.timeout(30):
            await asyncio.gather(*alive)
        assert not any(task.done() for task in dead)
        for task in dead:
            task.cancel()


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_but_our_own_error(data: bytes) -> None:
    for candidate in (data, b"\x30" + bytes([len(data) & 0x7F]) + data, encode(Question(((1, 3, 6),)), data, 1)):
        with contextlib.suppress(NotSnmp):
            assert decode(candidate).request_id is not None


@given(
    st.integers(0, 2**31 - 1),
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 2**32 - 1), max_size=12),
            st.one_of(st.integers(0, 2**64 - 1), st.integers(-(2**31), -1), st.binary(max_size=300)),
        ),
        max_size=20,
    ),
)
def test_what_another_coder_writes_is_read_back(number: int, rows: list[tuple[list[int], int | bytes]]) -> None:
    message, pdu = v2c.Message(), v2c.GetResponsePDU()
    v2c.apiMessage.set_defaults(message)
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, number)
    bindings: list[tuple[tuple[int, ...], Value | None]] = [((1, 3, *tail), value) for tail, value in rows]
    v2c.apiPDU.set_varbinds(pdu, [(rfc1902.ObjectName(name), _pyasn1(value)) for name, value in bindings])
    v2c.apiMessage.set_pdu(message, pdu)
    answer = decode(encoder.encode(message))
    assert (answer.request_id, answer.status, answer.bindings) == (number, 0, bindings)


def _pyasn1(value: Value | None) -> object:
    if isinstance(value, bytes):
        return rfc1902.OctetString(value)
    assert isinstance(value, int)
    return rfc1902.Counter64(value) if value >= 0 else rfc1902.Integer32(value)


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=10), min_size=1, max_size=9), st.integers(0, 2**31 - 1))
def test_what_we_ask_another_coder_reads(tails: list[list[int]], number: int) -> None:
    oids = tuple((1, 3, 6, *tail) for tail in tails)
    message, rest = decoder.decode(encode(Question(oids, 2, 25), b"rahasia", number), asn1Spec=v2c.Message())
    request = v2c.apiMessage.get_pdu(message)
    assert not rest
    assert request.isSameTypeWith(v2c.GetBulkRequestPDU())
    assert bytes(v2c.apiMessage.get_community(message)) == b"rahasia"
    assert tuple(name.asTuple() for name, _ in v2c.apiBulkPDU.get_varbinds(request)) == oids
    assert int(v2c.apiBulkPDU.get_request_id(request)) == number
    assert int(v2c.apiBulkPDU.get_max_repetitions(request)) == 25
