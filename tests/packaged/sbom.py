"""Writes what is in an installation as CycloneDX 1.6 (JSON), with licences and who needs whom: `make sbom`.

The same environment gives the same bytes: no time of writing, and the serial number follows from the content.
"""

import json
import sys
import uuid
from collections.abc import Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

from tests.packaged.closure import OURS, canonical, closure
from tests.packaged.licences import licence_of

INSTALLED: Final = ("agent", "agent-ssh", "server")
FILE: Final = Path(__file__).parents[2] / "dist" / "kampungnet.cdx.json"


def sbom() -> dict[str, Any]:
    """Return the bill of materials of centre and box."""
    packages = dict(sorted(closure(*INSTALLED).items()))
    ours = distribution(OURS)
    own = _component(OURS, ours, "application")
    page: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": [_component(name, package, "library") for name, package in packages.items()],
        "dependencies": [_dependencies(name, package, packages) for name, package in {OURS: ours, **packages}.items()],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(page, sort_keys=True))
    return {**page, "serialNumber": f"urn:uuid:{serial}"}


def _reference(name: str, package: Distribution) -> str:
    return f"pkg:pypi/{name}@{package.version}"


def _component(name: str, package: Distribution, kind: str) -> dict[str, Any]:
    reference = _reference(name, package)
    licence = package.metadata["License-Expression"] if name == OURS else licence_of(package)
    found = {"type": kind, "bom-ref": reference, "name": name, "version": package.version, "purl": reference}
    return {**found, "licenses": [{"expression": licence}]}


def _dependencies(name: str, package: Distribution, packages: Mapping[str, Distribution]) -> dict[str, Any]:
    asked = {canonical(Requirement(line).name) for line in package.requires or ()}
    if name == OURS:
        asked &= _wanted_by_us(package)
    needed = sorted(asked & set(packages))
    return {"ref": _reference(name, package), "dependsOn": [_reference(one, packages[one]) for one in needed]}


def _wanted_by_us(package: Distribution) -> set[str]:
    lines = [Requirement(line) for line in package.requires or ()]
    return {
        canonical(one.name)
        for one in lines
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in INSTALLED)
    }


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(sbom(), indent=2, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{FILE.relative_to(Path.cwd())} is written.\n")
