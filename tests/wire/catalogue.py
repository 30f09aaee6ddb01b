"""The whole shelf, which the settings name."""

from __future__ import annotations

from tests.wire import holding
from tests.wire.shelf import shelf

__all__ = ["holding", "shelf"]
