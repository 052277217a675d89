"""Foreign tools in environments of their own under ``.cache/``: what must not live beside our packages.

snmpsim needs pysmi, which costs an agent's pysnmp 20 MB and warns; mktxp is licensed GPL.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

CACHE: Final = Path(__file__).parent.parent.parent / ".cache"
INSTALL_SECONDS: Final = 300
PINS: Final = ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")


def environment(name: str, *packages: str) -> Path:
    """Return the ``bin`` folder of a cached virtual environment that holds the packages, made on first use."""
    folder = CACHE / name
    CACHE.mkdir(exist_ok=True)
    wanted = "\n".join(packages)
    stamp = folder / "packages.txt"
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=INSTALL_SECONDS)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages]
            done = subprocess.run(pip, timeout=INSTALL_SECONDS, env=_env(), capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            stamp.write_text(wanted)
    return folder / "bin"


def _env() -> dict[str, str]:
    """Return the environment for installing other people's tools: our pinned versions are not theirs."""
    return {name: value for name, value in os.environ.items() if name not in PINS}
