"""Every attack on every strategy of ours: all held, but for what packages are known to let in."""

from pathlib import Path
from typing import Any

import pytest

from apps.contract.registry import strategies
from authbench.attacks.catalogue import ATTACKS
from tests.security.known_breaks import KNOWN_BREAKS

pytestmark = [pytest.mark.slow, pytest.mark.alone]
PAGES = Path(__file__).parents[2] / "docs" / "strategies"
OWN = {name: each for name, each in strategies().items() if each.settings.startswith("apps.strategies.")}
LOGINS = {name for name, each in OWN.items() if each.carrier != "none"}
COOKIES = {name for name, each in OWN.items() if each.carrier == "cookie"}
TOKENS = {name for name in LOGINS if "jwt" in name}
# Whose key is the secret that the stack tells replicas: the others sign with a private key.
SECRETS = TOKENS - {"jwt-rs256", "jwt-es256", "jwt-eddsa", "jwt-jwks", "edge-jwt"}
SIGNED = TOKENS | {"session-cookie", "session-cookie-claims", "session-page"}

Findings = dict[str, dict[str, dict[str, Any]]]  # attack -> strategy -> finding


@pytest.fixture(scope="module")
def findings(verified_strategies: dict[str, Any]) -> Findings:
    found: Findings = {attack.name: {} for attack in ATTACKS}
    for row in verified_strategies["attacks"]:
        found[row["attack"]][row["strategy"]] = row
    return found


def applied(findings: Findings, attack: str) -> set[str]:
    return {name for name, row in findings[attack].items() if row["outcome"] != "not applicable"}


def test_every_attack_was_tried_on_every_strategy(findings: Findings) -> None:
    assert all(set(rows) == set(OWN) for rows in findings.values())
    assert all(row["why"] for rows in findings.values() for row in rows.values() if row["outcome"] == "not applicable")
    assert all(row["tried"] for rows in findings.values() for row in rows.values() if row["outcome"] == "held")


def test_everything_held_but_for_what_is_known(findings: Findings) -> None:
    broken = {
        (name, f"{attack}: {each['sent']}"): each["came"]
        for attack, rows in findings.items()
        for name, row in rows.items()
        for each in row["broken"]
    }
    known = {(name, each.declared) for name, breaks in KNOWN_BREAKS.items() for each in breaks}
    assert {what: came for what, came in broken.items() if what not in known} == {}
    assert known <= broken.keys(), "no longer broken: take it off the list, the declaration and the page"
    assert all(broken[what] == "200" for what in known)  # let in, and no failure


def test_what_is_known_is_declared_and_told_on_the_page() -> None:
    declared = {name: set(each.known_breaks) for name, each in OWN.items() if each.known_breaks}
    assert declared == {name: {each.declared for each in breaks} for name, breaks in KNOWN_BREAKS.items()}
    for name, breaks in KNOWN_BREAKS.items():
        page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
        assert all(each.page in page for each in breaks), name


def test_tokens_were_forged_with_the_real_key_of_every_strategy_that_has_tokens(findings: Findings) -> None:
    for attack in ("control", "alg none", "missing claims", "odd claims", "unknown crit", "null signatures"):
        assert applied(findings, attack) == TOKENS, attack
    assert applied(findings, "public key as HMAC secret") == TOKENS - SECRETS
    assert applied(findings, "the other ECDSA signature") == {"jwt-es256"}


def test_no_replica_starts_with_a_secret_of_31_bytes(findings: Findings) -> None:
    assert applied(findings, "a secret of 31 bytes") == SECRETS


def test_cookies_were_looked_at_wherever_there_are_some(findings: Findings) -> None:
    for attack in ("flags", "cookie tossing", "session fixation", "cross-site requests", "two cookies of one name"):
        assert applied(findings, attack) == COOKIES, attack


def test_whatever_is_kept_by_the_server_was_tried_with_paths_and_counted(findings: Findings) -> None:
    assert applied(findings, "paths, queries and patterns") == LOGINS - SIGNED
    assert applied(findings, "entropy") == LOGINS - SIGNED
    # The second keeps sessions in memory, and takes minted ones from files when it starts.
    assert applied(findings, "a session outside the folder") == {"session-file", "session-locmem"}
    assert applied(findings, "anonymous requests") == LOGINS


def test_replicas_behind_the_edge_were_asked_past_it(findings: Findings) -> None:
    assert applied(findings, "past the edge") == {name for name, each in OWN.items() if each.edge}
