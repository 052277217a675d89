"""Every kept input runs through its decoder, on every machine: what broke one once, what reached most of its code."""

from pathlib import Path

import pytest

from tests.fuzz.decoders import DECODERS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", list(DECODERS))
def test_the_kept_inputs_break_no_decoder(name: str) -> None:
    kept = sorted((CORPUS / name).iterdir())
    assert len(kept) > 2, "a decoder has a few inputs to begin with"
    for file in kept:
        try:
            DECODERS[name](file.read_bytes())
        except Exception as error:
            raise AssertionError(f"{name}/{file.name}: {error!r}") from error


def test_no_kept_input_is_left_without_its_decoder() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(DECODERS)
    assert sum(file.stat().st_size for file in CORPUS.glob("*/*")) < 500_000
