"""What only servers of databases do is tested where one runs: by its plugin."""

from __future__ import annotations

import os

collect_ignore_glob = [] if "TESTS_DATABASE" in os.environ else ["test_*.py"]
