"""How every benchmark here is measured: in an order drawn anew, on one core, no collector in between."""

import os
import random

import pytest

SEED = "AUTHBENCH_MICRO_SEED"
CORE = "AUTHBENCH_MICRO_CORE"


def pytest_configure(config: pytest.Config) -> None:
    """Keeps to the core that was chosen, if one was."""
    del config
    if core := os.environ.get(CORE):
        os.sched_setaffinity(0, {int(core)})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffles: which benchmark runs after which, and inherits what caches, is another in every launch."""
    random.Random(os.environ.get(SEED, "0")).shuffle(items)  # noqa: S311 - an experiment's order, not a secret
