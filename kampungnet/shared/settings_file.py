"""Settings files for people: TOML in, a typed struct out, mistakes as one sentence.

Every error names the file, the key and what to do, because the reader may be alone in a
village office with only this line on the screen. Needs msgspec and the standard library.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

Model = TypeVar("Model", bound=msgspec.Struct)

OTHERS_MAY_TOUCH = 0o007
"""Permission bits a secret file must not have: anything for other users of the box."""
MAX_SECRET_BYTES = 64_000


class SettingsError(Exception):
    """Settings that cannot be used; ``str(error)`` is one sentence for a person."""


def read_settings(path: Path, model: type[Model]) -> Model:
    """Read a TOML file into ``model``; unknown keys, wrong types and missing keys are refused."""
    return convert(read_table(path), model, path)


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML file as it is."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"{path} does not exist; copy the example file there and fill it in.") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); check its owner and rights.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text; save it again as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}; correct that line.") from error


def convert(table: Mapping[str, Any], model: type[Model], path: Path) -> Model:
    """Turn a table into ``model``; ``path`` only appears in the sentences."""
    refuse_unknown_keys(table, model, path)
    try:
        return msgspec.convert(table, model)
    except msgspec.ValidationError as error:
        raise SettingsError(_sentence(path, str(error))) from error


def refuse_unknown_keys(table: Mapping[str, Any], model: type[msgspec.Struct], path: Path, where: str = "") -> None:
    """Raise for the first key that ``model`` does not have, here or in a table below."""
    hints = get_type_hints(model)
    for key, value in table.items():
        place = f"{where}.{key}" if where else key
        if key not in hints:
            raise unknown_key(path, place, hints)
        below = _struct_of(hints[key])
        if below is None:
            continue
        for number, item in enumerate(value if isinstance(value, list) else [value], start=1):
            if isinstance(item, Mapping):
                refuse_unknown_keys(item, below, path, f"{place}[{number}]" if isinstance(value, list) else place)


def unknown_key(path: Path, place: str, known: Iterable[str]) -> SettingsError:
    """Build the error for one key nobody knows, with the nearest one that exists."""
    key = place.rpartition(".")[2]
    return SettingsError(f"{path}: the key {place} is unknown; {did_you_mean(key, known)}.")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean X?`` material: the nearest known word, or all of them."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"? If not, remove it'
    return f"remove it or use one of: {', '.join(words)}"


def read_secret(path: Path, key: str) -> str:
    """Read one secret from its own file, without the line end; ``key`` is the setting that names the file."""
    refuse_open_secret(path, key)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SECRET_BYTES + 1)
        text = raw.decode("utf-8").rstrip("\r\n")
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path} ({key}) does not exist; write the secret into it and run: chmod 640 {path}"
        ) from error
    except OSError as error:
        raise SettingsError(f"{path} ({key}) cannot be read ({error.strerror}); check its owner and rights.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} ({key}) is not UTF-8 text; write the secret again.") from error
    if not text or len(raw) > MAX_SECRET_BYTES:
        raise SettingsError(f"{path} ({key}) is empty or far too long; write only the secret into it.")
    return text


def refuse_open_secret(path: Path, key: str) -> None:
    """Raise when other users of this machine may touch a secret file; one that cannot be looked at is not judged."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & OTHERS_MAY_TOUCH:
        raise SettingsError(f"{path} ({key}) is open to every user of this machine; run: chmod 640 {path}")


def _struct_of(hint: Any) -> type[msgspec.Struct] | None:
    """Return the struct inside ``Model``, ``Model | None``, ``list[Model]`` or ``Annotated[…]``, if there is one."""
    if get_origin(hint) is None:
        return hint if isinstance(hint, type) and issubclass(hint, msgspec.Struct) else None
    return next((found for part in get_args(hint) if (found := _struct_of(part)) is not None), None)


def _sentence(path: Path, problem: str) -> str:
    """Turn msgspec's ``Expected `int`, got `str` - at `$.a[0].b```  into a sentence."""
    what, _, place = problem.partition(" - at `$")
    place = re.sub(r"\[(\d+)\]", lambda found: f"[{int(found[1]) + 1}]", place.strip("`").lstrip("."))
    missing = re.search(r"missing required field `(.+?)`", what)
    if missing:
        if not place:
            return f"{path}: the section [{missing[1]}] is missing; add it, as in the example settings."
        return f"{path}: {missing[1]} is missing under [{place}]; add a line: {missing[1]} = …"
    return f"{path}: {place or 'the file'} is wrong: {_in_words(what)}; correct it."


def _in_words(what: str) -> str:
    names = {
        "int": "a whole number",
        "str": "text in quotes",
        "bool": "true or false",
        "object": "a table",
        "array": "a list",
        "float": "a number",
    }
    return re.sub(r"`(\w+)`", lambda found: names.get(found[1], found[0]), what[:1].lower() + what[1:])
