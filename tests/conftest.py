"""What is made once for all tests of a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def seeded_shop_data() -> Iterator[Path]:
    """PostgreSQL's data folder with the shop's schema and data, which every module's stores begin with a copy of."""
    from tests.integration.shop_stack import seeded_data  # unit tests alone need none of it

    with seeded_data() as data:
        yield data
