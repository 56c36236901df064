"""Defects planted in a copy of the app, and the real commands on it: each has to be named by its own words."""

from dataclasses import replace

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.commands import Run, Verify, ask
from tests.mutants.tree import copied, plant

pytestmark = pytest.mark.slow
# Each breaks another promise, so that one stack shows them all: `tests.mutants plant all` plants them one by one.
TOGETHER = (
    "cookie-only-logout",
    "permission-unchecked",
    "page-signature-unchecked",
    "deny-list-ignored",
    "refresh-token-reused",
    "password-hash-cheap",
)
STRATEGIES = ("session-db", "session-page", "jwt-denylist", "jwt-refresh")


def test_verify_names_each_of_several_defects() -> None:
    with copied() as tree:
        for name in TOGETHER:
            plant(tree, MUTANTS[name].edits)
        answer = ask(tree, Verify(STRATEGIES))
    assert answer.exit_code == 1, answer.statements
    assert [name for name in TOGETHER if answer.naming(MUTANTS[name].words) is None] == [], answer.statements
    # And nothing that was not planted: two strategies' lists of orders, say, are the same bytes.
    assert answer.naming(("bytes that differ",)) is None


def test_a_run_names_orders_that_were_acknowledged_and_not_kept() -> None:
    lost = MUTANTS["order-lost-1-in-1000"]
    # More often than one in 1,000, since the windows are short; not among the few that verification makes.
    often = tuple(replace(edit, new=edit.new.replace("% 1000 == 7", "% 100 == 57")) for edit in lost.edits)
    with copied() as tree:
        plant(tree, often)
        answer = ask(tree, Run("jwt-hs256", "orders-create", window_s=1.0))
    assert answer.exit_code == 3, answer.statements
    assert answer.naming(lost.words) is not None, answer.statements
