"""What two runs may be compared in: seconds, only ratios and counts, or nothing; and every way in which they differ.

METHOD.md: a suite that compares runs of different machines compares machines. Where machine, parts or libraries differ,
ratios to each run's own control and counts are compared, never seconds. Where the question, the stack's settings or the
data differ, nothing is: the two runs did not measure the same thing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from authbench.records import Frozen, Manifest

Basis = Literal["seconds", "ratios and counts", "nothing"]
# Where a part listens, and as whom, is drawn anew at every start and changes no cost.
PLACES = frozenset({"port", "listen_addresses", "bind", "unix_socket_directories"})
SAME_MACHINE = ("cpu_model", "cores", "kernel", "pinning", "hypervisor")
TOLD = 3  # reasons by name
RATE_TOLERANCE = 0.10  # open-model rates further apart than this load the stack differently


class Difference(Frozen):
    """One way in which two runs differ. `loud`: to be seen beside the figures; `forbids`: what it rules out."""

    part: str  # such as `machine.kernel`, `versions.pyjwt` or `settings.postgresql.fsync`
    old: str
    new: str
    loud: bool
    forbids: Literal["nothing", "seconds", "cells", "everything"] = "nothing"


class Refusal(Frozen):
    """Cells that may not be compared: those whose levels are these (all, where empty), and why."""

    factor: str | None
    level: str | None
    reason: str


class Comparability(Frozen):
    """What may be compared between two runs.

    `seconds`: everything; `ratios and counts`: ratios to the control of the same run, and counts; `nothing`.
    `refused`: single workloads or loads that may not be compared at all, whatever the basis.
    """

    basis: Basis
    differences: tuple[Difference, ...]
    refused: tuple[Refusal, ...] = ()

    def refuses(self, cell: Mapping[str, object]) -> str | None:
        """Why this cell may not be compared, the first three reasons; None where it may."""
        reasons = [
            refusal.reason
            for refusal in self.refused
            if refusal.factor is None or str(cell.get(refusal.factor)) == refusal.level
        ]
        more = [f"{len(reasons) - TOLD} more"] if len(reasons) > TOLD else []
        return "; ".join([*reasons[:TOLD], *more]) or None


def comparability(old: Manifest, new: Manifest) -> Comparability:
    """What the two manifests allow; single cells that only one run has are for the caller to see."""
    refused = tuple(_refusals(old, new))
    everything = any(refusal.factor is None for refusal in refused)
    differences = (
        *_question(old, new),
        *_stack_and_data(old, new),
        *_machine(old, new),
        *_mapping("versions", old.versions, new.versions, loud=True, forbids="seconds"),
        *_origin(old, new),
    )
    seconds = not any(each.forbids == "seconds" for each in differences)
    basis: Basis = "nothing" if everything else "seconds" if seconds else "ratios and counts"
    return Comparability(basis=basis, differences=differences, refused=refused)


def _refusals(old: Manifest, new: Manifest) -> Iterator[Refusal]:
    if old.question.name != new.question.name:
        reason = f"another scenario ({old.question.name} and {new.question.name})"
        yield Refusal(factor=None, level=None, reason=reason)
    for each in _stack_and_data(old, new):
        if each.forbids == "everything":
            reason = f"{each.part} differs ({each.old} and {each.new})"
            yield Refusal(factor=None, level=None, reason=reason)
    before, after = _section(old, "workloads"), _section(new, "workloads")
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            reason = f"workload {name} is defined otherwise ({_told(before[name])} and {_told(after[name])})"
            yield Refusal(factor="workload", level=name, reason=reason)
    kinds, others = _section(old, "credentials"), _section(new, "credentials")
    for name in sorted(before.keys() & after.keys()):
        if (kind := kinds.get(name, "own")) != (other := others.get(name, "own")):
            yield Refusal(factor="workload", level=name, reason=f"credentials of {name} differ ({kind} and {other})")
    yield from _load_refusals(old, new)


def _load_refusals(old: Manifest, new: Manifest) -> Iterator[Refusal]:
    loads = sorted({str(level) for run in (old, new) for level in run.question.factors.get("load", ())})
    before, after = _section(old, "load"), _section(new, "load")
    for key, closed in (("connections", True), ("arrivals", False)):
        if before.get(key) != after.get(key):
            reason = f"load.{key} differs ({_told(before.get(key))} and {_told(after.get(key))})"
            for load in loads:
                if (load == "saturate") == closed:
                    yield Refusal(factor="load", level=load, reason=reason)


def _question(old: Manifest, new: Manifest) -> Iterator[Difference]:
    before, after = old.question, new.question
    yield from _one("scenario", before.name, after.name, loud=True, forbids="everything")
    yield from _one("question", before.question, after.question, loud=False)
    yield from _one("control", before.control, after.control, loud=True)
    yield from _one("reference", before.reference, after.reference, loud=False)
    yield from _one("margin", before.margin, after.margin, loud=True)
    yield from _mapping("factors", before.factors, after.factors, loud=True, forbids="cells")
    for section, loud in (("workloads", True), ("credentials", True), ("load", True)):
        yield from _mapping(section, _section(old, section), _section(new, section), loud=loud, forbids="cells")
    yield from _mapping("profile", _section(old, "profile"), _section(new, "profile"), loud=False)
    for workload in sorted(old.rates_rps.keys() & new.rates_rps.keys()):
        first, second = old.rates_rps[workload], new.rates_rps[workload]
        far = abs(second / first - 1) > RATE_TOLERANCE if first else first != second
        yield from _one(f"rates_rps.{workload}", f"{first:.1f}", f"{second:.1f}", loud=far)


def _stack_and_data(old: Manifest, new: Manifest) -> Iterator[Difference]:
    for section in ("stack", "data"):
        yield from _mapping(section, _section(old, section), _section(new, section), loud=True, forbids="everything")
    for part in sorted(old.settings.keys() | new.settings.keys()):
        before, after = (
            {key: value for key, value in run.settings.get(part, {}).items() if key not in PLACES} for run in (old, new)
        )
        yield from _mapping(f"settings.{part}", before, after, loud=True, forbids="everything")


def _machine(old: Manifest, new: Manifest) -> Iterator[Difference]:
    before, after = (
        {**run.machine.model_dump(), "memory_bytes": f"{run.machine.memory_bytes / 2**30:.1f} GiB"}
        for run in (old, new)
    )
    for field in before:
        forbids: Literal["nothing", "seconds"] = "seconds" if field in (*SAME_MACHINE, "python") else "nothing"
        yield from _one(f"machine.{field}", before[field], after[field], loud=True, forbids=forbids)


def _origin(old: Manifest, new: Manifest) -> Iterator[Difference]:
    yield from _one("authbench", old.authbench, new.authbench, loud=True)
    yield from _one("git_commit", old.git_commit, new.git_commit, loud=False)
    yield from _one("git_dirty", old.git_dirty, new.git_dirty, loud=True)
    yield from _one("seed", old.seed, new.seed, loud=False)


def _mapping(
    name: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    loud: bool,
    forbids: Literal["nothing", "seconds", "cells", "everything"] = "nothing",
) -> Iterator[Difference]:
    for key in sorted(old.keys() | new.keys()):
        yield from _one(f"{name}.{key}", old.get(key), new.get(key), loud=loud, forbids=forbids)


def _one(
    part: str,
    old: Any,
    new: Any,
    *,
    loud: bool,
    forbids: Literal["nothing", "seconds", "cells", "everything"] = "nothing",
) -> Iterator[Difference]:
    if old != new:
        yield Difference(part=part, old=_told(old), new=_told(new), loud=loud, forbids=forbids)


def _section(manifest: Manifest, name: str) -> Mapping[str, Any]:
    found = manifest.scenario.get(name)
    return found if isinstance(found, Mapping) else {}


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items()) or "none"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
