"""Plants one mutant and asks its command; or asks commands about the app as it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.mutants.commands import Answer, Command, Gate, Run, Verify, ask
from tests.mutants.mutant import Edit, Mutant
from tests.mutants.outcome import LONGEST_STATEMENT, Good, Planted
from tests.mutants.tree import ROOT, copied, digest, plant

# What a run says about the machine that it was given, and not about the app (authbench/analysis/validity.py).
OF_THE_MACHINE = frozenset(
    {
        *("generator-died", "generator-late", "generator-busy", "rate-not-reached", "unsteady", "littles-law"),
        *("steal", "cpu-contended"),
        *("missing-launches", "too-few-launches", "unresolved-block"),  # cautions that follow from those
    }
)
REMARK = Edit(
    "apps/shop/views.py",
    '"""The endpoints. Nothing here knows which strategy it serves."""\n',
    '"""The endpoints. Nothing here knows which strategy it serves. (A remark, and no change.)"""\n',
)
GOOD: tuple[Command, ...] = (
    Verify(("session-db-claims", "session-cache-claims", "jwt-hs256", "jwt-row"), security=True),
    Run("jwt-hs256", "orders-create", window_s=2),
    Gate("jwt-hs256", tiers="0,1"),
)


def try_mutant(mutant: Mutant, root: Path = ROOT) -> Planted:
    """Whether its command names it, on a copy of the source below `root`. Raises NotPlantedError."""
    with copied(root) as copy:
        plant(copy, mutant.edits)
        answer = ask(copy, mutant.command)
    said = answer.naming(mutant.words) if answer.exit_code else None
    return Planted(
        name=mutant.name,
        command=mutant.command.shown,
        exit_code=answer.exit_code,
        named=said is not None,
        statement=(said or _instead(answer))[:LONGEST_STATEMENT],
        seconds=round(answer.seconds, 1),
        source=digest(root),
        utc=_now(),
    )


def try_good(number: int, root: Path = ROOT) -> Iterator[Good]:
    """One round: each command on a copy in which nothing but a remark differs."""
    for command in GOOD:
        with copied(root) as copy:
            plant(copy, (REMARK,))
            answer = ask(copy, command)
        codes = _codes(answer)
        yield Good(
            round=number,
            command=command.shown,
            exit_code=answer.exit_code,
            raised=raised(command, answer),
            machine=tuple(sorted(codes & OF_THE_MACHINE)),
            seconds=round(answer.seconds, 1),
            source=digest(root),
            utc=_now(),
        )


def raised(command: Command, answer: Answer) -> tuple[str, ...]:
    """What the command says against the app.

    A machine that is not quiet makes a run invalid and a gate inconclusive: that accuses nobody, and is kept apart.
    """
    if answer.exit_code == 0:
        return ()
    if isinstance(command, Run) and answer.exit_code == 3:
        against = _codes(answer) - OF_THE_MACHINE
        return tuple(sorted(against))
    if isinstance(command, Gate) and answer.exit_code in (3, 5):
        return ()
    return (_instead(answer)[:LONGEST_STATEMENT],)


def _codes(answer: Answer) -> set[str]:
    return {each.removeprefix("code=").partition(",")[0] for each in answer.statements if each.startswith("code=")}


def _instead(answer: Answer) -> str:
    """What is nearest to a complaint in an answer that does not name the defect."""
    complaints = [each for each in answer.statements if any(word in each for word in ("broken", "regression", "code="))]
    return (complaints or [each for each in reversed(answer.statements) if each.strip()] or ["nothing"])[0]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
