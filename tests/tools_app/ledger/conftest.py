from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools_app.ledger import Ledger


@pytest.fixture
def ledger(transactional_db: None) -> Iterator[Ledger]:
    made = Ledger()
    yield made
    made.close()
