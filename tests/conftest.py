"""What is made once for all tests of a process."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def seeded_shop_data() -> Iterator[Path]:
    """PostgreSQL's data folder with the shop's schema and data, which every module's stores begin with a copy of."""
    from tests.integration.shop_stack import seeded_data  # unit tests alone need none of it

    with seeded_data() as data:
        yield data


@pytest.fixture(scope="session")
def verified_strategies() -> dict[str, Any]:
    """What `authbench verify --security` says of all strategies: a minute and more, so once for all modules."""
    from tests.integration.commands import authbench

    done = authbench("verify", "--security", "--json", timeout_s=800)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "exit code": done.returncode}
