"""Orders on the wire: what was recorded once is read for ever, and an older side is not disturbed by them."""

import inspect
import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.shared import orders, wire
from kampungnet.shared.orders import Bundle, OrdersAnswer, OrdersQuestion
from tests.support.wire_values import values_of

RECORDED = Path(__file__).parent / "recorded" / "orders-v1.json"
STRUCTS = [
    kind
    for _, kind in inspect.getmembers(orders, inspect.isclass)
    if kind.__module__ == orders.__name__ and issubclass(kind, msgspec.Struct)
]


class _Exchange(msgspec.Struct):
    question: OrdersQuestion
    answer: OrdersAnswer
    receipt: wire.Receipt


class _OldReceipt(msgspec.Struct):
    """As an agent of the version before knows it."""

    accepted: list[int]
    server_time_ms: int


def test_the_recorded_exchange_must_decode_for_ever_and_says_every_field() -> None:
    text = RECORDED.read_bytes()
    recorded = msgspec.json.decode(text, type=_Exchange)
    assert recorded.receipt.orders
    bundle = recorded.question.told[1].bundle
    plain = zlib.decompress(bundle)
    assert msgspec.json.decode(plain, type=Bundle).sections[0].lines == ["papan: Raspberry Pi 4"]
    said = text.decode() + plain.decode()
    assert len(STRUCTS) > 5
    for kind in STRUCTS:
        for name in kind.__struct_encode_fields__:
            assert f'"{name}"' in said, f"{kind.__name__}.{name}"


def test_an_older_agent_reads_a_receipt_that_says_more_and_an_older_server_says_nothing_of_orders() -> None:
    new = msgspec.json.encode(wire.Receipt([1], 2, orders=True))
    assert msgspec.json.decode(new, type=_OldReceipt).accepted == [1]
    assert not msgspec.json.decode(msgspec.json.encode(_OldReceipt([1], 2)), type=wire.Receipt).orders
    assert b"orders" not in msgspec.json.encode(wire.Receipt([1], 2)), "nothing more travels while nothing waits"


@pytest.mark.parametrize("kind", STRUCTS)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_sent_arrives_unchanged(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    sent = data.draw(values_of(kind))
    assert msgspec.json.decode(msgspec.json.encode(sent), type=kind) == sent
