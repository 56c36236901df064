"""The steps of a rotation, and what each promises: plain values, nothing is run here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from authbench.experiments.rotation.plan import Way

Key = Literal["old", "new"]
StepName = Literal["accept", "sign", "drop"]


@dataclass(frozen=True, slots=True)
class Step:
    """What every replica does once the step is over."""

    name: StepName
    signs: Key
    accepts: tuple[Key, ...]  # the one it signs with among them


OLD_ONLY = Step("accept", "old", ("old",))  # before the first step
ACCEPT = Step("accept", "old", ("old", "new"))
SIGN = Step("sign", "new", ("new", "old"))
DROP = Step("drop", "new", ("new",))
STEPS: Mapping[Way, tuple[Step, ...]] = {
    "overlap": (ACCEPT, SIGN, DROP),
    "fallback": (SIGN, DROP),  # as Django's documentation has it: the new key signs at once, the old one is accepted
    "at once": (DROP,),
}


def is_promised(key: Key, sent_s: float, drop_began_s: float | None) -> bool:
    """Whether a credential made with that key is to be accepted from whoever sends it then.

    One made with the new key always; one made with the old key until the step that drops it begins.
    """
    return key == "new" or drop_began_s is None or sent_s < drop_began_s
