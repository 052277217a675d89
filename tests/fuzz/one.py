"""Runs libFuzzer over one decoder until its time is over: ``python -m tests.fuzz.one NAME``, then libFuzzer's own."""

import importlib
import sys

OURS = ["kampungnet", "kampungnet_agent", "kampungnet_sim", "librouteros"]


def main() -> None:
    # By name: no machine but x86-64 has it, and then nobody comes here.
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=OURS):
        decoders = importlib.import_module("tests.fuzz.decoders")
    decoder = decoders.DECODERS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda data: decoder(bytes(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
