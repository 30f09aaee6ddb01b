"""What only PostgreSQL does is tested where it runs: by the plugin."""

from __future__ import annotations

import os

collect_ignore_glob = [] if "TESTS_POSTGRESQL" in os.environ else ["test_*.py"]
