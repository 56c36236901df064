"""`python -m tests.mutants`: plants defects in copies of the app, and writes down whether the bench names them."""

import argparse
import sys
from collections.abc import Sequence

from authbench.machine import split_cores, this_machine
from tests.mutants.catalogue import MUTANTS
from tests.mutants.outcome import Trust, read_trust, write_trust
from tests.mutants.page import TRUST_MD, page
from tests.mutants.tree import NotPlantedError
from tests.mutants.trials import try_good, try_mutant


def main(arguments: Sequence[str]) -> int:
    """0: all named, nothing raised; 1: not so; 2: wrong usage, or a mutant that does not fit the source any more."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    does = parser.add_subparsers(dest="does", required=True)
    does.add_parser("list", help="every mutant, and the command that has to name it")
    planting = does.add_parser("plant", help="plant these one at a time: names, or all, or missing")
    planting.add_argument("names", nargs="+", metavar="NAME")
    good = does.add_parser("good", help="so many rounds on the app without a defect")
    good.add_argument("rounds", type=int)
    good.add_argument("--afresh", action="store_true", help="forget the rounds of before")
    does.add_parser("page", help=f"write {TRUST_MD.name}")
    asked = parser.parse_args(arguments)
    if asked.does == "list":
        for mutant in MUTANTS.values():
            print(f"{mutant.name:36} {mutant.kind:12} {mutant.command.shown}")
        return 0
    fine = True
    if asked.does == "plant":
        try:
            fine = _plant(asked.names)
        except NotPlantedError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    elif asked.does == "good":
        fine = _good(asked.rounds, afresh=asked.afresh)
    else:
        _keep(read_trust())
    return 0 if fine else 1


def _plant(names: Sequence[str]) -> bool:
    known = {each.name for each in read_trust().planted if each.named}
    everything = {"all": list(MUTANTS), "missing": [name for name in MUTANTS if name not in known]}
    chosen = [each for name in names for each in everything.get(name, [name])]
    if unknown := [name for name in chosen if name not in MUTANTS]:
        raise NotPlantedError(f"no such mutant: {', '.join(unknown)}; see `python -m tests.mutants list`")
    fine = True
    for name in chosen:
        one = try_mutant(MUTANTS[name])
        _keep(read_trust().with_planted(one))
        fine &= one.named
        print(f"{'named' if one.named else 'MISSED':7} {name} ({one.seconds:.0f} s): {one.statement}", flush=True)
    return fine


def _good(rounds: int, *, afresh: bool) -> bool:
    fine = True
    if afresh:
        _keep(read_trust().model_copy(update={"good": ()}))
    first = max((each.round for each in read_trust().good), default=0) + 1
    for number in range(first, first + rounds):
        for one in try_good(number):
            _keep(read_trust().with_good(one))
            fine &= not one.raised
            told = "; ".join(one.raised) or "nothing"
            print(f"round {number}: {one.command} ({one.seconds:.0f} s, exit code {one.exit_code}): {told}", flush=True)
    return fine


def _keep(trust: Trust) -> None:
    """Results and page together, so that the one is always what the other gives."""
    if trust.planted or trust.good:
        machine = this_machine(split_cores(frozenset()))
        trust = trust.model_copy(update={"machine": f"{machine.cores} cores of {machine.cpu_model}"})
    write_trust(trust)
    TRUST_MD.write_text(page(trust), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
