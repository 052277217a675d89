import re

import pytest

from tests.pages.translations import catalogue, extracted

PLACES = re.compile(r"%\(\w+\)s|%%|%")
TEXTS = sorted({text if isinstance(text, tuple) else (text,) for _, _, text in extracted()})


def test_texts_are_found_in_code_and_templates() -> None:
    files = {file.split("/")[0] for file, _, _ in extracted()}
    assert {"core", "staff", "measurement", "templates"} <= files
    assert len(TEXTS) > 100


@pytest.mark.parametrize("code", ["id", "en"])
def test_every_text_has_an_entry_and_nothing_else_is_kept(code: str) -> None:
    known = {m.id if isinstance(m.id, tuple) else (m.id,): m for m in catalogue(code) if m.id}
    forms = {key: m.string if isinstance(m.string, tuple) else (m.string,) for key, m in known.items()}
    hint = "run python -m tests.pages.translations, then translate what is empty"
    assert [text for text in TEXTS if not all(forms.get(text, ("",)))] == [], hint
    assert [text for text in known if text not in TEXTS] == [], hint
    assert [text for text, message in known.items() if message.fuzzy] == []


@pytest.mark.parametrize("code", ["id", "en"])
def test_a_translation_fills_in_the_same_values(code: str) -> None:
    for message in catalogue(code):
        source = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        for form in said:
            assert sorted(PLACES.findall(str(form))) == sorted(PLACES.findall(str(source[-1]))), source


def test_english_says_what_the_code_says() -> None:
    for message in (message for message in catalogue("en") if message.id):
        assert message.string == message.id
