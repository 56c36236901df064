import ast
from pathlib import Path

import pytest

from apps.contract.endpoints import ENDPOINTS
from apps.contract.registry import Strategy, StrategyError, read_strategy, strategies

# docs/strategies and the design: name -> carrier, freshness, location, revocable
DESIGN = {
    "none": ("none", "none", "none", False),
    "session-db": ("cookie", "row", "database", True),
    "session-db-claims": ("cookie", "claims", "database", True),
    "session-cache": ("cookie", "row", "cache", True),
    "session-cache-claims": ("cookie", "claims", "cache", True),
    "session-cached-db": ("cookie", "row", "cache+database", True),
    "session-file": ("cookie", "row", "file", True),
    "session-cookie-claims": ("cookie", "claims", "cookie", False),
    "jwt-hs256": ("bearer", "claims", "token", False),
    "jwt-row": ("bearer", "row", "token", False),
    "session-cookie": ("cookie", "row", "cookie", False),
    "session-locmem": ("cookie", "row", "memory", True),
    "session-page": ("page", "claims", "page", False),
    "jwt-rs256": ("bearer", "claims", "token", False),
    "jwt-es256": ("bearer", "claims", "token", False),
    "jwt-eddsa": ("bearer", "claims", "token", False),
    "jwt-cached": ("bearer", "claims", "token", False),
    "jwt-denylist": ("bearer", "claims", "token+cache", True),
    "jwt-refresh": ("bearer", "claims", "token", False),
    "jwt-once": ("bearer", "claims", "token+cache", True),
    "jwt-cookie": ("cookie", "claims", "token", False),
    "jwt-jwks": ("bearer", "claims", "token", False),
    "drf-session": ("cookie", "row", "database", True),
    "drf-token": ("bearer", "row", "database", True),
    "drf-knox": ("bearer", "row", "database", True),
    "drf-simplejwt": ("bearer", "row", "token", False),
    "drf-simplejwt-stateless": ("bearer", "claims", "token", False),
    "drf-jwt": ("bearer", "row", "token", False),
    "opaque-introspection": ("bearer", "row", "service", True),
    "opaque-introspection-cached": ("bearer", "claims", "service", True),
    "edge-jwt": ("bearer", "claims", "token", False),
    "edge-subrequest": ("bearer", "row", "service", True),
    "starlette-jwt": ("bearer", "claims", "token", False),
    "apistar-jwt": ("bearer", "claims", "token", False),
}
ROOT = Path(__file__).parents[3]


def path_of(strategy: Strategy) -> Path:
    return ROOT / Path(*strategy.settings.split(".")).with_suffix(".py")


@pytest.mark.parametrize("name", DESIGN)
def test_declaration_is_the_designs(name: str) -> None:
    found = strategies()[name]
    assert (found.carrier, found.freshness, found.location, found.revocable) == DESIGN[name]
    assert found.settings == f"apps.strategies.{name.replace('-', '_')}"


def test_no_strategy_of_ours_is_missing_from_the_table_above() -> None:
    own = {name for name, found in strategies().items() if found.settings.startswith("apps.strategies.")}
    assert own == set(DESIGN)


@pytest.mark.parametrize("name", DESIGN)
def test_every_endpoint_but_health_has_counts(name: str) -> None:
    assert set(strategies()[name].operations) == set(ENDPOINTS) - {"healthz"}


@pytest.mark.parametrize("name", DESIGN)
def test_stores_are_those_that_authentication_touches(name: str) -> None:
    found = strategies()[name]
    whoami = found.operations["whoami"]
    assert ("database" in found.stores) == (whoami.sql > 0)
    assert ("cache" in found.stores) == (whoami.cache > 0)


def test_twins_are_mutual_and_differ_in_freshness_only() -> None:
    for found in strategies().values():
        if found.twin is not None:
            twin = strategies()[found.twin]
            assert twin.twin == found.name
            assert (twin.carrier, twin.location) == (found.carrier, found.location)
            assert {twin.freshness, found.freshness} == {"claims", "row"}


@pytest.mark.parametrize("name", DESIGN)
def test_settings_module_is_short(name: str) -> None:
    """At most fifteen lines besides the literal."""
    text = path_of(strategies()[name]).read_text(encoding="utf-8")
    literal = next(node for node in ast.parse(text).body if isinstance(node, ast.Assign))
    assert literal.end_lineno is not None
    own = [line for line in text.splitlines()[: literal.lineno - 1] + text.splitlines()[literal.end_lineno :] if line]
    assert len(own) <= 15


@pytest.mark.parametrize("name", DESIGN)
def test_a_page_describes_it_with_the_declared_counts(name: str) -> None:
    page = (ROOT / "docs" / "strategies" / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# `{name}`\n")
    for endpoint, counts in strategies()[name].operations.items():
        target = ENDPOINTS[endpoint]
        row = f"| `{target.method} {target.path}` | {counts.sql} | {counts.transactions} | {counts.cache} |"
        assert row in page.splitlines()


COMPLETE = {
    "name": "x",
    "carrier": "cookie",
    "freshness": "row",
    "location": "database",
    "summary": "",
    "stores": ["database"],
    "revocable": True,
    "operations": {},
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no STRATEGY"),
        ("STRATEGY = {'name': f()}", "plain literal"),
        (f"STRATEGY = {COMPLETE | {'colour': 1}}", "unknown keys"),
        ("STRATEGY = {'name': 'x'}", "lacks"),
        (f"STRATEGY = {COMPLETE | {'carrier': 'pigeon'}}", "carrier"),
        (f"STRATEGY = {COMPLETE | {'stores': ['attic']}}", "attic"),
    ],
)
def test_a_wrong_declaration_names_file_and_fault(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StrategyError, match=message) as raised:
        read_strategy("wrong", path)
    assert str(path) in str(raised.value)
