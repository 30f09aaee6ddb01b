"""Files by which a tool tells a test from within how far it has come."""

from __future__ import annotations

import os
from pathlib import Path


def leave(name: str) -> None:
    Path(os.environ["SHOP_MARKS"], name).touch()
