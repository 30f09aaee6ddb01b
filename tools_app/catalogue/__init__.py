"""The catalogue as administrators see and steer it.

``MCP["CATALOGUE"] = "tools_app.catalogue.AdminCatalogue"`` serves what the code
registers, as the rows of the table leave it, and what was made in the admin.
"""

from __future__ import annotations

from tools_app.catalogue.serving import AdminCatalogue

__all__ = ["AdminCatalogue"]
