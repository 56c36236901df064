"""manifest.json: everything needed to understand or repeat a run, never a secret."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from apps.contract.registry import Strategy, strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Verified
from authbench.errors import UsageError
from authbench.journal import write_whole
from authbench.machine import Cores, library_versions, source_state, this_machine
from authbench.order import Order
from authbench.records import MANIFEST_FILE, Contender, Manifest, Question
from authbench.scenario import Scenario


def new_manifest(
    order: Order,
    stack: EmbeddedStack,
    cores: Cores,
    verified: Mapping[str, Verified],
    unavailable: Mapping[str, str],
    rates: Mapping[str, float],
    timer: str,
) -> Manifest:
    """The manifest of a run that is about to measure."""
    commit, dirty = source_state()
    scenario = order.scenario
    warnings = []
    if timer != "timerfd":
        warnings.append(f"no timerfd on this machine: the dispatcher wakes by {timer}, which is late by up to 1 ms")
    if cores.generator is None:
        warnings.append("one core: generator and stack share it, so latencies include the generator's own work")
    return Manifest(
        authbench=version("authbench"),
        command=order.command,
        question=question_of(scenario),
        scenario=scenario.model_dump(mode="json"),
        seed=order.seed,
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        git_commit=commit,
        git_dirty=dirty,
        machine=this_machine(cores),
        versions={**stack.versions, **library_versions()},
        settings=stack.settings,
        softened=stack.softened,
        contenders=(
            *(contender_of(each) for each in verified.values()),
            *(absent(strategies()[name], reason) for name, reason in unavailable.items()),
        ),
        rates_rps=rates,
        warnings=tuple(warnings),
    )


def question_of(scenario: Scenario) -> Question:
    """The part of a scenario that a reader of the answer needs."""
    return Question(
        name=scenario.name,
        question=scenario.question,
        profile=scenario.profile_name,
        control=scenario.control,
        reference=scenario.reference,
        margin=scenario.margin,
        factors=scenario.factors.varied(),
        launches=scenario.profile.launches,
        answers=scenario.answers,
    )


def absent(strategy: Strategy, reason: str) -> Contender:
    """A strategy that cannot run on this machine, which is told and never left out."""
    return contender_of(Verified(strategy, ())).model_copy(update={"verified": False, "unavailable": reason})


def contender_of(verified: Verified) -> Contender:
    """A strategy as verification found it."""
    strategy = verified.strategy
    return Contender(
        name=strategy.name,
        carrier=strategy.carrier,
        freshness=strategy.freshness,
        location=strategy.location,
        twin=strategy.twin,
        summary=strategy.summary,
        operations={
            name: {"sql": each.sql, "cache": each.cache, "transactions": each.transactions, "auth": each.auth}
            for name, each in strategy.operations.items()
        },
        verified=verified.passed,
        problems=verified.problems,
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes it whole or not at all. Raises UsageError where the folder cannot be written or holds a run already."""
    path = folder / MANIFEST_FILE
    if path.exists():
        raise UsageError(f"{folder}: holds a run already; name another --out, or go on with --resume {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, (manifest.model_dump_json(indent=2) + "\n").encode())
    except OSError as error:
        raise UsageError(f"{folder}: cannot write ({error.strerror}); name another with --out") from error
