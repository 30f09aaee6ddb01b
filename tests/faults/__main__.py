"""Runs fault tests at full size: ``python -m tests.faults T2 T5``, or all of them.

One line for each, and 0 at the end if all have passed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import django

from tests.faults.faults import FAULTS, Fault
from tests.faults.verdict import reason


def passes(name: str, fault: Fault, *, small: bool) -> bool:
    """Run a test, and say how it went. Its files stay if it has failed."""
    directory = Path(tempfile.mkdtemp(prefix=f"faults-{name}-"))
    began = time.monotonic()
    size = fault.small if small else fault.full
    try:
        figures = asyncio.run(fault.run(size, directory))
    # An ExceptionGroup, of tasks side by side, among them.
    except Exception as error:
        print(f"{name} fail: {reason(error)} (files in {directory})", flush=True)
        return False
    shutil.rmtree(directory)
    print(f"{name} pass: {figures} ({time.monotonic() - began:.0f} s)", flush=True)
    return True


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="script/faults", description=__doc__)
    parser.add_argument(
        "names", metavar="TEST", nargs="*", help=f"of {', '.join(FAULTS)}; default: all"
    )
    parser.add_argument(
        "--small", action="store_true", help="at the size that script/test runs"
    )
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(FAULTS))
    if unknown:
        parser.error(f"no test is named {', '.join(unknown)}")
    names = chosen.names or list(FAULTS)
    passed = [passes(name, FAULTS[name], small=chosen.small) for name in names]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    # For what is served in this process.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    sys.exit(main(sys.argv[1:]))
