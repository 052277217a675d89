"""Whatever a device says that the wire lets through, its slots, its card and its sentences can be made."""

from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.core.pages import all_languages
from kampungnet.devices.bodies import OnuSeen, decoded, kind_of, light_of
from kampungnet.devices.models import Device
from kampungnet.measurement.device_cards import KIND_WORDS, MOST_MISSING, card, needs_day
from kampungnet.measurement.light import Outlook
from kampungnet.measurement.light_words import light_words
from kampungnet.measurement.notices import notices
from kampungnet.measurement.slots import MOST, SLOT_MS, Timed, fold, fold_onus, pack, unpack
from kampungnet.shared import wire
from tests.support.wire_values import values_of

NOW: Final = 1_785_430_800_000
BODIES: Final = st.one_of(*(values_of(kind) for kind in (wire.RouterBody, wire.OntBody, wire.OltBody, wire.HostBody)))
LANGUAGES: Final = list(all_languages().values())


def _device(body: wire.Body | OnuSeen, name: str = "device") -> Device:
    rx, no_light = light_of(body)
    return Device(
        regency="35.10", site="s", name=name, kind=kind_of(body), outcome="ok", detail="", last_reading_ms=NOW,
        last_ok_ms=NOW, uptime_seconds=60, rx_power_dbm=rx, no_light=no_light, body=msgspec.json.encode(body),
    )  # fmt: skip


@settings(max_examples=150)
@given(body=BODIES, later=BODIES)
def test_any_body_has_slots_that_fit_and_a_card_in_every_language(body: wire.Body, later: wire.Body) -> None:
    readings = [
        Timed(NOW + n * SLOT_MS, wire.Reading("b", n + 1, "d", 0, 0, wire.Outcome.OK, 1, body=one))
        for n, one in enumerate((body, later))
    ]
    series = fold(readings)
    for values in [*series.values(), *(one for onu in fold_onus(readings, {}).values() for one in onu.values())]:
        assert unpack(pack(values, NOW), NOW) == {at: min(value, MOST) for at, value in values.items()}
    assert decoded(msgspec.json.encode(body)) == body
    for language in LANGUAGES:
        shown = card(_device(body), body, series if needs_day(body) else {}, language, NOW)
        assert shown.kind
        assert shown.now
        assert len(shown.missing) <= MOST_MISSING
        assert kind_of(body) in KIND_WORDS


@settings(max_examples=100)
@given(onu=values_of(wire.Onu))
def test_any_onu_has_a_card_and_its_light_has_words(onu: wire.Onu) -> None:
    body = OnuSeen(onu, "C320")
    device = _device(body, "ont@olt")
    for language in LANGUAGES:
        assert card(device, body, {}, language, NOW).now
        assert light_words(device, Outlook(), language, "Asia/Jakarta", NOW).now


@settings(max_examples=150)
@given(body=values_of(wire.RouterBody))
def test_any_router_gives_sentences_and_none_of_them_is_broken(body: wire.RouterBody) -> None:
    for language in LANGUAGES:
        for sentence in notices(body, language):
            assert sentence.endswith("."), sentence


@pytest.mark.parametrize("state", list(wire.OnuState))
def test_every_state_of_an_onu_has_words(state: wire.OnuState) -> None:
    body = OnuSeen(wire.Onu("ZTEGC1234567", state=state))
    words = {card(_device(body, "ont@olt"), body, {}, language, NOW).now for language in LANGUAGES}
    assert len(words) == len(LANGUAGES)
