"""What the user asked `authbench run` to do: something new, or to go on with what a folder holds."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from authbench.errors import UsageError
from authbench.records import MANIFEST_FILE, TRIALS_FILE, Manifest, read_manifest
from authbench.scenario import Scenario
from authbench.selection import chosen_scenario

DEFAULT_SCENARIO, DEFAULT_PROFILE, DEFAULT_SEED = "compare", "standard", 1
TOLD = 3  # differences that one line names


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be measured, and where it is written down."""

    scenario: Scenario
    seed: int
    folder: Path
    command: str  # as typed, for the manifest
    resume: bool = False

    def what_is_kept(self) -> str:
        """One sentence for whoever's run has ended before its end."""
        if not (self.folder / MANIFEST_FILE).is_file():
            return "Nothing was measured yet"
        return f"What was measured is kept; go on with: authbench run --resume {shlex.quote(str(self.folder))}"


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that say what is measured, as typed; None: not given."""

    scenario: str | None = None
    profile: str | None = None
    strategies: str | None = None
    levels: tuple[str, ...] = ()  # `factor=level,level`
    seed: int | None = None


def order_for(asked: Asked, *, out: Path | None, resume: Path | None, command: str) -> Order:
    """A new run, or with `resume` the rest of an old one. Raises UsageError as those two do."""
    if resume is None:
        return new_order(asked, out, command)
    if out is not None:
        raise UsageError("--out and --resume: give one of them; a run is resumed in its own folder")
    return resumed_order(asked, resume, command)


def new_order(asked: Asked, folder: Path | None, command: str) -> Order:
    """A run of its own. Raises UsageError for unknown names, and for a folder that holds a run already."""
    scenario = chosen_scenario(
        asked.scenario or DEFAULT_SCENARIO, asked.profile or DEFAULT_PROFILE, asked.strategies, list(asked.levels)
    )
    where = folder or Path("results") / f"{scenario.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if any((where / name).exists() for name in (MANIFEST_FILE, TRIALS_FILE)):
        raise UsageError(f"{where}: holds a run already; name another --out, or go on with --resume {where}")
    return Order(scenario, DEFAULT_SEED if asked.seed is None else asked.seed, where, command)


def resumed_order(asked: Asked, folder: Path, command: str) -> Order:
    """The rest of the run that the folder holds; its manifest knows every option.

    Raises UsageError where there is nothing to go on with, and where an option that was given differs.
    """
    if not (folder / MANIFEST_FILE).is_file():
        raise UsageError(
            f"{folder}: no {MANIFEST_FILE} here, so nothing was measured yet; start the run anew with --out {folder}"
        )
    manifest = read_manifest(folder)
    kept = scenario_of(manifest, folder)
    if differences := _differences(asked, kept, manifest.seed):
        told = "; ".join(differences[:TOLD]) + ("; …" if len(differences) > TOLD else "")
        raise UsageError(
            f"{folder}: holds another scenario or seed than asked for: {told}. "
            f"Go on with what it holds: authbench run --resume {folder}"
        )
    return Order(kept, manifest.seed, folder, command, resume=True)


def scenario_of(manifest: Manifest, folder: Path) -> Scenario:
    """The scenario as it was run. Raises UsageError where another version of authbench wrote it."""
    try:
        return Scenario.model_validate(dict(manifest.scenario))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{folder / MANIFEST_FILE}: its scenario is not one of this authbench ({where}: {first['msg']}); "
            f"go on with the version that began it, {manifest.authbench}"
        ) from error


def _differences(asked: Asked, kept: Scenario, seed: int) -> list[str]:
    found = []
    if asked.seed not in (None, seed):
        found.append(_differs("seed", seed, asked.seed))
    if asked.profile not in (None, kept.profile_name):
        found.append(_differs("profile", kept.profile_name, asked.profile))
    levels = {name: _listed(value) for name, value in kept.factors.varied().items()}
    for factor, wanted in _asked_levels(asked).items():
        if wanted != levels.get(factor):
            found.append(_differs(factor, levels.get(factor, "no such factor"), wanted))
    if asked.scenario is not None and not found:
        # The rest of the file, at the folder's own levels and profile.
        given = [f"{name}={value}" for name, value in levels.items() if value]
        found += _parts(kept, chosen_scenario(asked.scenario, kept.profile_name, None, given))
    return found


def _parts(kept: Scenario, asked: Scenario) -> list[str]:
    there, here = kept.model_dump(mode="json"), asked.model_dump(mode="json")
    return [_differs(name, there[name], here[name]) for name in there if there[name] != here[name]]


def _asked_levels(asked: Asked) -> dict[str, str]:
    pairs = [each.partition("=") for each in asked.levels]
    wanted = {factor.strip(): _listed(values.split(",")) for factor, _, values in pairs}
    return wanted if asked.strategies is None else wanted | {"strategy": _listed(asked.strategies.split(","))}


def _listed(values: Any) -> str:
    return ",".join(str(value).strip() for value in values)


def _differs(what: str, there: object, here: object) -> str:
    return f"{what} is {there} there, {here} here"
