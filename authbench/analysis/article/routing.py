"""Claim: sessions on the server break behind a load balancer that has no shared store behind it."""

from authbench.analysis.article.claim import Claim, Evidence, Ruling, not_measured
from authbench.analysis.routing import KIND, Logins, logins

NAME = "broken by the balancer"
CLAIM = "Sessions kept on the server break behind a load balancer without a shared store."
SECTION = KIND
TURNS, STICKY = "round robin", "cookie"
EXCERPT = 3  # strategies named of each sort


def broken_by_the_balancer(evidence: Evidence) -> Claim:
    """Compares the shares of users logged out: memory of a replica, shared stores, and credentials that hold it all."""
    found = [each for each in logins(evidence.of(KIND)) if each.clients == "many networks"]
    own = [each for each in found if each.store == "replica"]
    turns = [each for each in own if (each.method, each.event) == (TURNS, "none")]
    if not turns:
        return not_measured(NAME, CLAIM, SECTION)
    broken = all(each.logged_out.value > 0 for each in turns)
    others = [each for each in found if each.store != "replica" and (each.method, each.event) == (TURNS, "none")]
    safe = [each for each in others if each.logged_out.value == 0]
    sticky = [each for each in own if each.method == STICKY]
    kept = [each for each in sticky if each.event == "none" and each.logged_out.value == 0]
    left = [each for each in sticky if each.event == "leaves"]
    measured = f"Round robin over replicas that keep sessions to themselves logged out {_shares(turns)} of the users"
    if others:
        measured += f"; {_names(safe)} lost none" if safe else "; shared stores lost users too"
    if kept:
        measured += f". A sticky cookie kept {_names(kept)} logged in"
        measured += f", until a replica left: then {_shares(left)} lost their login" if left else ""
    ruling: Ruling = "does not hold"
    when = ""
    if broken:
        ruling = "holds only when" if kept else "holds"
        when = "requests are dealt in turn, or a replica leaves: sticky routing hides it until then" if kept else ""
    launches = min(each.logged_out.n for each in turns)
    told = measured + "."
    return Claim(name=NAME, claim=CLAIM, ruling=ruling, when=when, measured=told, section=SECTION, launches=launches)


def _shares(rows: list[Logins]) -> str:
    return ", ".join(f"{100 * each.logged_out.value:.0f} % ({each.strategy})" for each in rows)


def _names(rows: list[Logins]) -> str:
    names = list(dict.fromkeys(each.strategy for each in rows))
    more = f" and {len(names) - EXCERPT} more" if len(names) > EXCERPT else ""
    return ", ".join(names[:EXCERPT]) + more
