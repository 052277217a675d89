"""Settings files: every mistake is one sentence with file, key and what to do."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kampungnet.shared.settings_file import SettingsError, read_secret, read_settings

Read = Callable[..., "House"]


class Lamp(msgspec.Struct):
    name: str
    brightness: int = 5


class House(msgspec.Struct):
    owner: str
    lamps: list[Lamp] = []
    porch: Lamp | None = None


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_it(text: str | bytes) -> House:
        path = tmp_path / "house.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_settings(path, House)

    return read_it


def test_a_good_file_becomes_the_typed_struct(read: Read) -> None:
    house = read('owner = "Bu Rini"\n[porch]\nname = "teras"\n[[lamps]]\nname = "a"\nbrightness = 7\n')
    assert house == House("Bu Rini", [Lamp("a", 7)], Lamp("teras"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('ownr = "x"', 'the key ownr is unknown; did you mean "owner"?'),
        ('owner = "x"\n[porch]\nname = "a"\nbrightnes = 1', 'the key porch.brightnes is unknown; did you mean "bright'),
        ('owner = "x"\n[[lamps]]\nname="a"\n[[lamps]]\nnam = "b"', "the key lamps[2].nam is unknown"),
        ('owner = "x"\nzzz = 1', "remove it or use one of: lamps, owner, porch"),
        ("", "the section [owner] is missing; add it"),
        ('owner = "x"\n[[lamps]]\nbrightness = 1', "name is missing under [lamps[1]]"),
        ("owner = 5", "owner is wrong: expected text in quotes, got a whole number"),
        ('owner = "x"\n[[lamps]]\nname = "a"\nbrightness = "hell"', "lamps[1].brightness is wrong"),
        ('owner = "x"\nlamps = 3', "lamps is wrong: expected a list"),
        ("owner = ", "is not valid TOML"),
        (b'owner = "\xff"', "is not UTF-8"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_file_key_and_remedy(read: Read, text: str | bytes, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text)
    assert sentence in str(caught.value)
    assert "house.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.toml does not exist"):
        read_settings(tmp_path / "nothing.toml", House)


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("  rahasia ü \r\n")
    path.chmod(0o640)
    assert read_secret(path, "password_file") == "  rahasia ü "


@pytest.mark.parametrize("mode", [0o644, 0o642, 0o641, 0o604])
def test_a_secret_others_may_touch_is_refused_with_the_command_to_run(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "password"
    path.write_text("x")
    path.chmod(mode)
    with pytest.raises(SettingsError, match=f"chmod 640 {path}"):
        read_secret(path, "password_file")


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 70_000, b"\xff\xfe"])
def test_an_empty_huge_or_binary_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="password_file"):
        read_secret(path, "password_file")


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        read_secret(tmp_path / "nothing", "password_file")
