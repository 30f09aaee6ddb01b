"""The documentation site: the project's own documents, served over MCP."""

from __future__ import annotations

__version__ = "0.1.0"
