"""Nothing on the shelf is left out, and nothing is read by a list of names."""

from pathlib import Path

import pytest

from tests.conformance.shelf import Kind, UnknownRecordingError, kind_of, recordings


def test_every_file_on_the_shelf_is_of_a_known_kind(shelf: Path) -> None:
    assert list(recordings(shelf))


def test_a_file_of_no_known_kind_is_an_error_that_names_it() -> None:
    with pytest.raises(UnknownRecordingError, match=r"ont/telnet/olt\.pcap"):
        kind_of("ont/telnet/olt.pcap")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ont/librenms/snmpsim/a_new_olt.snmprec", Kind.WALK),
        ("routeros/napalm-ros/test_new/case/_ip_dns_print.json", Kind.ROUTEROS_ROWS),
        ("ont/ntc-templates/zte_zxros/show_x/zte_show_x.raw", Kind.CLI),
        ("routeros/community.routeros/facts/new_print", Kind.ROUTEROS_TERMINAL),
    ],
)
def test_a_new_file_of_a_known_kind_finds_its_place(name: str, kind: Kind) -> None:
    assert kind_of(name) is kind
