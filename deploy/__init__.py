"""How the site is run by several processes: configuration, and a cluster to try."""

from __future__ import annotations
