"""What stands in the stores of a stack: data, credentials, and what requests do there, by its own commands."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from apps.contract.registry import Strategy
from authbench.backends.shop import Shop
from authbench.backends.started import Started
from authbench.backends.variant import Variant
from authbench.stack.databases import TEMPLATE, database_of
from authbench.stack.service import Service


class Stocked(Started):
    """Started parts whose stores can be filled. Every method raises StackError where a command fails."""

    variants: dict[str, Variant]
    cores: tuple[int, ...]
    _shop: Shop

    def seed(self, users: int, orders: int) -> None:
        """Makes the schema and the data once a source tree, then a copy for every variant."""
        amount = ("--users", str(users), "--orders", str(orders))
        trees: dict[Path, list[Variant]] = {}
        for variant in self.variants.values():
            trees.setdefault(variant.root, []).append(variant)
        for number, variants in enumerate(trees.values(), start=1):
            template = TEMPLATE
            if number > 1:
                template = f"{TEMPLATE}_{number}"
                self.parts.databases.create(template)
            first = variants[0]
            self._stack.run(
                self._command(first, f"migrate-{number}", "migrate", "--verbosity", "0", database=template),
                self._command(first, f"seed-{number}", "seed", *amount, database=template),
            )
            self.parts.databases.clone([database_of(variant.name) for variant in variants], template)
        own = [variant for variant in self.variants.values() if variant.strategy.own_tables]
        migrate = (self._command(each, f"migrate-{each.name}", "migrate", "--verbosity", "0") for each in own)
        self._stack.run(*migrate, at_once=2)
        if (sessions := self.parts.sessions) is not None:
            first = next(iter(self.variants.values()))
            there = self._command(first, "migrate-sessions", "migrate", "--database", "sessions", "--verbosity", "0")
            told = {**there.environment, "AUTHBENCH_SESSION_DATABASE_URL": sessions.template}
            self._stack.run(replace(there, environment=told))
            sessions.clone(list(self.variants))
        self.parts.databases.settle()

    def mint(self, strategy: Strategy | Variant, count: int) -> Path:
        """A file with that many credentials, made by the strategy's own code; readable by its owner only."""
        return self.mint_all([strategy], count)[strategy.name]

    def mint_all(self, strategies: Sequence[Strategy | Variant], count: int, at_once: int = 2) -> dict[str, Path]:
        """Strategy or variant -> its file; a few commands run at a time, each of which keeps a core busy."""
        files = {strategy.name: self.folder / f"minted-{strategy.name}.jsonl" for strategy in strategies}
        commands = [
            self._command(
                self.variants[each.name],
                f"mint-{each.name}",
                *("mint", "--count", str(count), "--out", str(files[each.name])),
            )
            for each in strategies
        ]
        self._stack.run(*commands, at_once=at_once)
        if self.parts.sessions is not None:
            for each in strategies:
                self.parts.sessions.copy(each.name)
        return files

    def operations(self, strategy: Strategy | Variant) -> dict[str, Any]:
        """What each endpoint does, as `manage.py operations` counts it in process."""
        return self.operations_of([strategy])[strategy.name]

    def operations_of(
        self, strategies: Sequence[Strategy | Variant], endpoints: Sequence[str] = (), at_once: int = 2
    ) -> dict[str, dict[str, Any]]:
        """The same for several, a few at a time; of these endpoints only where some are named."""
        outputs = {strategy.name: self.folder / f"operations-{strategy.name}.json" for strategy in strategies}
        commands = (self.command(name, "operations", *endpoints, output=output) for name, output in outputs.items())
        self._stack.run(*commands, at_once=at_once)
        return {name: json.loads(output.read_bytes()) for name, output in outputs.items()}

    def command(self, variant: str, command: str, *arguments: str, output: Path | None = None) -> Service:
        """A management command of a variant, for exact counts: no chance in the order of sets and dictionaries."""
        service = self._command(self.variants[variant], f"{command}-{variant}", command, *arguments, output=output)
        return replace(service, environment={**service.environment, "PYTHONHASHSEED": "0"})

    def run(self, command: Service) -> None:
        """Runs such a command to its end; may be called while load is fired, from a thread of its own."""
        self._stack.run(command)

    def swap(self, variant: Variant) -> None:
        """From the next launch on, the replicas of that name are this variant's."""
        self.variants[variant.name] = variant

    def _command(self, variant: Variant, name: str, *arguments: str, **more: Any) -> Service:
        return self._shop.command(variant, self._stack.log(name), *arguments, cores=self.cores, **more)
