"""The strategies as data, read from their own files without importing Django.

Each settings module in `apps/strategies/` (or in a package that registers itself through the entry-point group
`authbench.strategies`) assigns one literal `STRATEGY = {...}`. It is read with `ast.literal_eval`, so that the bench
knows every strategy without loading any server code, and so that a new strategy is one new file.
"""

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, get_args

Carrier = Literal["none", "cookie", "bearer", "page"]
Freshness = Literal["none", "claims", "row"]
Store = Literal["database", "cache", "file"]
# Where the proof of the login lives; the second half of a strategy's cost is its freshness.
Location = Literal[
    "none", "database", "cache", "cache+database", "file", "cookie", "page", "memory", "token", "token+cache", "service"
]
Server = Literal["gunicorn", "uvicorn"]
# What the load balancer does besides passing requests on: it verifies the token, or asks the auth service about it.
Edge = Literal["", "jwt", "subrequest"]
PrivateKey = Literal["", "RS256", "ES256", "EdDSA"]

CHOICES = {
    "carrier": Carrier,
    "freshness": Freshness,
    "location": Location,
    "server": Server,
    "edge": Edge,
    "private_key": PrivateKey,
}
ENTRY_POINT_GROUP = "authbench.strategies"
STRATEGIES_PACKAGE = "apps.strategies"
SHOP = "apps.shop.wsgi"


class StrategyError(ValueError):
    """A strategy's file lacks its STRATEGY literal, or the literal is wrong. The message names file and key."""


@dataclass(frozen=True, slots=True)
class Operations:
    """What one request to an endpoint asks of the stores: an exact count, checked before anything is measured.

    `sql` counts SQL statements without BEGIN and COMMIT; `cache` counts commands sent to Valkey;
    `transactions` counts database transactions (a statement outside BEGIN…COMMIT is one of its own); `auth` counts
    requests to the strategy's auth service. What the service itself asks of the strategy's database counts as `sql`.
    """

    sql: int
    cache: int
    transactions: int
    auth: int = 0


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to keep a user authenticated, as its own file declares it."""

    name: str
    settings: str  # dotted module with the Django settings of its replicas
    carrier: Carrier
    freshness: Freshness
    location: Location
    summary: str
    stores: tuple[Store, ...]  # stores that an authenticated request may touch
    revocable: bool  # True: a logout ends the credential everywhere; False: only the client forgets it
    operations: Mapping[str, Operations]  # by endpoint name of `apps.contract.endpoints`
    twin: str | None = None  # the strategy that differs from this one in freshness only
    own_tables: bool = False  # its settings install Django apps of its own: its database is migrated once more
    sticky: bool = False  # a login lives in one replica only, and the balancer follows the client's route cookie to it
    revoked_within_s: float = 0.0  # a revocable login is refused everywhere at most so long after its end; 0: at once
    one_time: bool = False  # every answer replaces the credential (`Authentication-Info: next-token="…"`)
    server: Server = "gunicorn"
    application: str = SHOP  # what the server serves: a WSGI module, or for uvicorn module:application
    environment: str = ""  # apps/services/<environment>.lock: packages that need an environment of their own
    service: str = ""  # URL configuration of its auth service, which runs beside the replicas; empty: none
    edge: Edge = ""
    private_key: PrivateKey = ""  # algorithm of the private key that its replicas sign with; empty: they have none
    # What `verify --security` breaks and its package will not mend, as `attack: what was sent`; told on its page.
    known_breaks: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Parts of the stack its replicas cannot run without. Logging in always reads the user row."""
        parts = {"database", *self.stores, *(["auth"] if self.service else []), *(["edge"] if self.edge else [])}
        return tuple(sorted(parts - {"file"}))

    @property
    def counted_in_process(self) -> bool:
        """Whether `manage.py operations` serves its requests: other frameworks are counted by the stores only."""
        return self.application == SHOP


@cache
def strategies() -> Mapping[str, Strategy]:
    """Every strategy known on this machine, by canonical name, in alphabetical order.

    Raises StrategyError where a file's declaration is wrong or a name is taken twice.
    """
    found: dict[str, Strategy] = {}
    for module, path in (*_own_modules(), *_registered_modules()):
        strategy = read_strategy(module, path)
        if strategy.name in found:
            raise StrategyError(f"{path}: the name {strategy.name!r} is taken by {found[strategy.name].settings}")
        found[strategy.name] = strategy
    return dict(sorted(found.items()))


def strategies_in(root: Path) -> Mapping[str, Strategy]:
    """The strategies of another source tree (the folder that holds its `apps`), by name. Raises StrategyError."""
    found = (read_strategy(module, path) for module, path in _modules(root / "apps" / "strategies"))
    return {strategy.name: strategy for strategy in sorted(found, key=lambda strategy: strategy.name)}


def read_strategy(module: str, path: Path) -> Strategy:
    """The declaration in one settings file. Raises StrategyError (file, key, what is wrong)."""
    literal = _literal(path)
    known = {field.name for field in fields(Strategy)} - {"settings"}
    needed = {field.name for field in fields(Strategy) if field.default is MISSING} - {"settings"}
    if unknown := sorted(set(literal) - known):
        raise StrategyError(f"{path}: STRATEGY has unknown keys {unknown}; known are {sorted(known)}")
    if missing := sorted(needed - set(literal)):
        raise StrategyError(f"{path}: STRATEGY lacks {missing}")
    for key, allowed in CHOICES.items():
        if key in literal and literal[key] not in get_args(allowed):
            raise StrategyError(f"{path}: STRATEGY[{key!r}] is {literal[key]!r}, not one of {get_args(allowed)}")
    if wrong := sorted(set(literal["stores"]) - set(get_args(Store))):
        raise StrategyError(f"{path}: STRATEGY['stores'] names {wrong}; known are {get_args(Store)}")
    operations = {endpoint: Operations(**counts) for endpoint, counts in literal["operations"].items()}
    sequences = {name: tuple(literal.get(name, ())) for name in ("stores", "known_breaks")}
    return Strategy(**{**literal, **sequences, "settings": module, "operations": operations})


def _literal(path: Path) -> dict[str, Any]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "STRATEGY" for target in node.targets
        ):
            try:
                value = ast.literal_eval(node.value)
            except ValueError as error:
                raise StrategyError(f"{path}: STRATEGY must be a plain literal ({error})") from error
            if isinstance(value, dict):
                return value
    raise StrategyError(f"{path}: no STRATEGY = {{...}} literal")


def _own_modules() -> Iterator[tuple[str, Path]]:
    return _modules(Path(__file__).parent.parent / "strategies")


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith("_"):
            yield f"{STRATEGIES_PACKAGE}.{path.stem}", path


def _registered_modules() -> Iterator[tuple[str, Path]]:
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        spec = importlib.util.find_spec(entry.module)
        if spec is None or spec.origin is None:
            raise StrategyError(f"entry point {entry.name!r} of {ENTRY_POINT_GROUP}: no module {entry.module!r}")
        yield entry.module, Path(spec.origin)
