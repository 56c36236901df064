"""What a stack runs replicas of: a strategy, as some source tree and some Python serve it."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apps.contract.registry import SHOP, Strategy
from authbench.stack.replicas import ROOT


@dataclass(frozen=True, slots=True)
class Variant:
    """One strategy in one stack. Two variants of one strategy stand side by side there under names of their own.

    Names of equal length give answers of equal length: `X-Replica` holds them.
    """

    name: str  # names replicas, database and origin
    strategy: Strategy
    root: Path = ROOT  # the tree that holds `apps`
    python: str = sys.executable
    wsgi: str = SHOP
    environment: Mapping[str, str] = field(default_factory=dict)  # over what the stack tells every replica


def as_variants(given: Iterable[Strategy | Variant]) -> tuple[Variant, ...]:
    """Strategies as this tree serves them, under their own names; variants as they are."""
    return tuple(each if isinstance(each, Variant) else Variant(each.name, each) for each in given)
