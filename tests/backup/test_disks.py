"""Which disks a file system lies on: a tree as the kernel shows it, a device number in, disks out."""

import os
from pathlib import Path

import pytest

from kampungnet.backup import disks, service

ROOT, BESIDE, USB, MIRROR, VOLUME = (os.makedev(*one) for one in ((8, 1), (8, 2), (8, 17), (259, 0), (253, 0)))
NETWORK = 42


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """Two partitions of a disk, one of a USB disk, one of a mirror of two bare disks, a volume over two of these."""
    devices, known = tmp_path / "devices", tmp_path / "dev/block"
    known.mkdir(parents=True)
    for place, number in (
        ("sda/sda1", ROOT), ("sda/sda2", BESIDE), ("usb/sdb/sdb1", USB), ("sdc", None), ("sdd", None),
        ("virtual/md0", None), ("virtual/md0/md0p1", MIRROR), ("virtual/dm-0", VOLUME),
    ):  # fmt: skip
        block = devices / place
        block.mkdir(parents=True)
        if block.name in {"sda1", "sda2", "sdb1", "md0p1"}:
            (block / "partition").touch()
        if number is not None:
            (known / f"{os.major(number)}:{os.minor(number)}").symlink_to(block)
    for upper, lowers in (("md0", ("sdc", "sdd")), ("dm-0", ("virtual/md0", "sda/sda2"))):
        (devices / "virtual" / upper / "slaves").mkdir()
        for lower in lowers:
            (devices / "virtual" / upper / "slaves" / Path(lower).name).symlink_to(devices / lower)
    return tmp_path


@pytest.mark.parametrize(
    ("device", "names"),
    [(ROOT, {"sda"}), (BESIDE, {"sda"}), (USB, {"sdb"}), (MIRROR, {"sdc", "sdd"}), (VOLUME, {"sda", "sdc", "sdd"}),
     (NETWORK, set())],
)  # fmt: skip
def test_a_file_system_lies_on_the_disks_below_it(device: int, names: set[str], kernel: Path) -> None:
    assert {one.name for one in disks.below(device, kernel / "dev/block")} == names


def test_two_file_systems_on_one_disk_share_it_and_those_that_the_kernel_names_no_disk_for_share_none(
    kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {"root": ROOT, "beside": BESIDE, "usb": USB, "volume": VOLUME, "network": NETWORK, "other": NETWORK + 1}

    class Place(type(tmp_path)):  # type: ignore[misc]  # a path of another device
        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            del follow_symlinks
            return os.stat_result((0, 0, numbers[self.name], *range(7)))

    monkeypatch.setattr(disks, "below", lambda device, below=disks.below: below(device, kernel / "dev/block"))
    sharing = {other for other in numbers if service.shares_disk(Place("root"), Place(other))}
    assert sharing == {"root", "beside", "volume"}
    assert service.shares_disk(Place("network"), Place("network"))
    assert not service.shares_disk(Place("network"), Place("other"))
