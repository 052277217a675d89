import pytest

from tests.pages.translations import catalogue, catalogue_path, extracted, updated


def test_texts_are_found_in_code_and_templates() -> None:
    folders = {file.split("/")[0] for file, _, _ in extracted()}
    assert {"core", "staff", "measurement", "templates"} <= folders


@pytest.mark.parametrize("code", ["id", "en"])
def test_a_catalogue_is_as_its_tool_writes_it(code: str) -> None:
    hint = "run python -m tests.pages.translations, then translate what is empty"
    assert catalogue_path(code).read_bytes() == updated(code), hint


def test_indonesian_says_everything_in_one_form() -> None:
    for message in catalogue("id"):
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), message.id
        assert len(forms) == 1


def test_english_says_what_the_code_says() -> None:
    for message in (message for message in catalogue("en") if message.id):
        assert message.string == message.id
