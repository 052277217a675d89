"""The bill of materials names everything that is installed, once, and who needs it."""

from tests.packaged.closure import closure
from tests.packaged.licences import is_compatible
from tests.packaged.sbom import INSTALLED, sbom


def test_it_names_every_package_once_with_version_and_licence() -> None:
    page = sbom()
    found = {one["name"]: one for one in page["components"]}
    packages = closure(*INSTALLED)
    assert len(found) == len(page["components"])
    assert {name: one["version"] for name, one in found.items()} == {
        name: one.version for name, one in packages.items()
    }
    assert all(is_compatible(one["licenses"][0]["expression"]) for one in found.values())
    assert page["metadata"]["component"]["licenses"] == [{"expression": "AGPL-3.0-or-later"}]


def test_everything_in_it_is_needed_by_something_in_it() -> None:
    page = sbom()
    references = {one["bom-ref"] for one in page["components"]}
    needed = {one for line in page["dependencies"] for one in line["dependsOn"]}
    assert needed == references
    assert {line["ref"] for line in page["dependencies"]} == references | {page["metadata"]["component"]["bom-ref"]}


def test_the_same_environment_gives_the_same_bytes() -> None:
    assert sbom() == sbom()
    assert "timestamp" not in sbom()["metadata"]
