"""An A/A of the real stack: how far two runs of one build differ here."""

import time
from collections.abc import Sequence

from apps.contract.registry import strategies
from authbench.doctor.finding import Finding, Told, about, graded
from authbench.gate.against import alternation, arms_stack
from authbench.gate.arms import Arms, same_arms
from authbench.gate.calibration import Spread, smallest_change, spread_of
from authbench.gate.decision import Plan
from authbench.gate.limits import MAX_REGRESSION
from authbench.gate.windows import Window, launch_log, round_logs
from authbench.progress import Watcher

STRATEGY = "jwt-hs256"  # no store: its noise is the machine's
ROUNDS = 40
FEWEST_LAUNCHES = 4
GOOD, FAIR = 0.015, 0.03  # standard deviation between launches; METHOD.md measured 1.5 % on a machine like this one
MEANS = "how far two runs of one build differ here: no smaller difference can be told"
ADVICE = (
    "more launches (`--profile thorough`, `gate --minutes 15`), a quieter time or a runner of its own; "
    "`gate --tiers 0,1` does not depend on it; `authbench calibrate` tells what the gate finds here"
)


def aa_noise(seconds: float, watcher: Watcher) -> Sequence[Finding]:
    """Measures launches of one build as A and as B for about that long. Raises StackError where a part fails."""
    arms = same_arms(strategies()[STRATEGY], injected=False)
    launches = _launches(arms, seconds, watcher)
    return (noise(launches),)


@about("noise", MEANS)
def noise(launches: Sequence[Sequence[Window]]) -> Told:
    """What these launches of one build against itself say."""
    logs = [log for launch in launches if (log := launch_log(launch, "cand")) is not None]
    spread = spread_of(logs, [round_logs(launch, "cand") for launch in launches])
    if spread.between_launches is None or spread.between_rounds is None:
        return Told("unknown", f"{len(logs)} launches: too few", ADVICE)
    state = graded(spread.between_launches, GOOD, FAIR)
    found = f"CPU a request of one build against itself: {_told(spread)} over {len(logs)} launches"
    smallest = smallest_change(logs, Plan(), MAX_REGRESSION, seed=1)
    if smallest is not None:
        found += f"; a gate would find +{100 * smallest:.1f} %"
    return Told(state, found, "" if state == "good" else ADVICE)


def _launches(arms: Arms, seconds: float, watcher: Watcher) -> list[list[Window]]:
    found: list[list[Window]] = []
    with arms_stack((arms,), watcher) as stack, alternation(stack, (arms,), seed=1) as measured:
        watcher.phase("A/A of the real stack")
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(found) < FEWEST_LAUNCHES:
            found.append(measured.launch(1, len(found), rounds=ROUNDS))
    return found


def _told(spread: Spread) -> str:
    assert spread.between_launches is not None
    assert spread.between_rounds is not None
    return (
        f"{100 * spread.between_launches:.1f} % between launches, {100 * spread.between_rounds:.1f} % between windows"
    )
