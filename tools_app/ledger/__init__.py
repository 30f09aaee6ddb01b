"""The ledger: a row for every call, whatever became of it.

``MCP["OBSERVERS"] = ["tools_app.ledger.Ledger"]`` keeps it.
"""

from __future__ import annotations

from tools_app.ledger.ledger import Ledger

__all__ = ["Ledger"]
