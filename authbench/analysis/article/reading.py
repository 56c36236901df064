"""Claim: the browser can read a token."""

from authbench.analysis.article.claim import Claim, Evidence, Ruling, not_measured
from authbench.experiments.reading.measures import FACTS
from authbench.observed import Observation

NAME = "read by the browser"
CLAIM = "A token can be read by the browser, so that a page knows who is logged in without asking."
SECTION = "reading"


def read_by_the_browser(evidence: Evidence) -> Claim:
    """Compares what each credential says without a key, and whether a page's script may hold it."""
    found = {str(each.levels["strategy"]): each for each in evidence.of(SECTION)}
    tokens = {name: each for name, each in found.items() if name.startswith("jwt-")}
    if not tokens:
        return not_measured(NAME, CLAIM, SECTION)
    open_ = [name for name, each in tokens.items() if _facts(each) == len(FACTS)]
    in_reach = [name for name in open_ if found[name].values["script_may_read"]]
    hidden = [name for name in open_ if name not in in_reach]
    sessions = {name: each for name, each in found.items() if name.startswith("session-")}
    signed = [name for name, each in sessions.items() if _facts(each) == len(FACTS)]
    opaque = [name for name, each in sessions.items() if _facts(each) == 0]
    told = [f"{', '.join(FACTS[:-1])} and {FACTS[-1]} stand readable in {_list(open_) or 'none of the tokens'}"]
    if hidden:
        told.append(f"of these {_list(hidden)} travels in an HttpOnly cookie, out of every script's reach")
    if signed:
        told.append(f"the signed state of {_list(signed)} is as readable to whoever holds it")
    if opaque:
        told.append(f"{_list(opaque)} say{'s' if len(opaque) == 1 else ''} nothing")
    ruling: Ruling = "does not hold"
    when = ""
    if in_reach:
        ruling = "holds only when" if hidden else "holds"
        when = "a script may hold the token, which is also what an injected script needs" if hidden else ""
    measured = "; ".join(told) + "."
    return Claim(name=NAME, claim=CLAIM, ruling=ruling, when=when, measured=measured, section=SECTION, launches=1)


def _facts(observation: Observation) -> float:
    return observation.values.get("facts_readable") or 0.0


def _list(names: list[str]) -> str:
    return ", ".join(names)
