"""The internet may be reached; of what is inside only what was named."""

import pytest

from kampungnet.core import reach
from kampungnet.core.errors import BadInput


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
)
def test_the_internet_may_be_reached(address: str) -> None:
    assert reach.may_reach(address, [])


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.88.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
     "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "ff02::1", "", "router.lan",
     "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::1", "::10.0.0.1", "::ffff:0:10.0.0.1", "fec0::1", "192.0.0.8"],
)  # fmt: skip
def test_what_stands_beside_the_server_may_not(address: str) -> None:
    assert not reach.may_reach(address, [])


def test_what_is_named_may() -> None:
    named = reach.networks({reach.NETWORKS: "10.20.0.5, 192.168.7.0/24 fd00::/64"})
    assert [reach.may_reach(one, named) for one in ("10.20.0.5", "192.168.7.9", "fd00::9", "10.20.0.6")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert reach.networks({}) == []


@pytest.mark.parametrize("named", ["kantor", "10.0.0.0/33", "10.0.0.1/8"])
def test_a_setting_that_is_no_network_is_named(named: str) -> None:
    with pytest.raises(BadInput, match=reach.NETWORKS):
        reach.networks({reach.NETWORKS: named})


def test_a_network_with_an_address_inside_is_told_which_network_that_is() -> None:
    with pytest.raises(BadInput, match=r"a network like 10\.0\.0\.0/8\."):
        reach.networks({reach.NETWORKS: "10.0.0.5/8"})
