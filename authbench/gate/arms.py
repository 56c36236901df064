"""The three arms of a comparison: base, a twin of the base, and the candidate, of each strategy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from apps.contract.registry import Strategy, strategies, strategies_in
from authbench.backends.variant import Variant
from authbench.errors import UsageError
from authbench.gate.trees import Tree

ArmName = Literal["base", "twin", "cand", "slow"]  # of one length: `X-Replica` holds them
ARMS: tuple[ArmName, ...] = ("base", "twin", "cand")
BURDENED = "apps.shop.burden"


@dataclass(frozen=True, slots=True)
class Arms:
    """One strategy's variants."""

    strategy: str
    variants: Mapping[ArmName, Variant] = field(repr=False)

    def all(self) -> tuple[Variant, ...]:
        """All of them, the base first."""
        return tuple(self.variants.values())


def arms_of_trees(base: Tree, candidate: Tree, names: Sequence[str]) -> tuple[Arms, ...]:
    """The arms of these strategies. Raises UsageError for one that either side lacks."""
    registered = {name: each for name, each in strategies().items() if not each.settings.startswith("apps.")}
    known = {tree.root: {**registered, **strategies_in(tree.root)} for tree in (base, candidate)}
    for tree in (base, candidate):
        for name in names:
            if name not in known[tree.root]:
                raise UsageError(
                    f"--strategies {name}: {tree.told} has no such strategy, so there is nothing to compare"
                )
            _require_counts(known[tree.root][name])
    sides: Mapping[ArmName, Tree] = {"base": base, "twin": base, "cand": candidate}
    return tuple(
        Arms(
            name,
            {
                arm: Variant(f"{name}-{arm}", known[tree.root][name], tree.root, tree.python)
                for arm, tree in sides.items()
            },
        )
        for name in names
    )


def _require_counts(strategy: Strategy) -> None:
    """Raises UsageError for what another framework serves: tiers 0 and 1 count requests in a process of Django's."""
    if not strategy.counted_in_process:
        raise UsageError(
            f"--strategies {strategy.name}: is served by {strategy.application}, whose requests cannot be counted in "
            "process; the gate compares strategies of the shop itself"
        )


def same_arms(strategy: Strategy, injected: bool) -> Arms:
    """Three times the same build, and once with a burden where one is injected: what `calibrate` measures."""
    _require_counts(strategy)
    variants: dict[ArmName, Variant] = {arm: Variant(f"{strategy.name}-{arm}", strategy) for arm in ARMS}
    if injected:
        variants["slow"] = burdened(strategy, 0)
    return Arms(strategy.name, variants)


def burdened(strategy: Strategy, turns: int) -> Variant:
    """The strategy with that many turns of Python work before every request (`apps/shop/burden.py`)."""
    environment = {"AUTHBENCH_BURDEN_TURNS": str(turns)}
    return Variant(f"{strategy.name}-slow", strategy, wsgi=BURDENED, environment=environment)
