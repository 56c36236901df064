"""What `verify --security` prints of attacks."""

import io

from rich.console import Console

from authbench.attacks.catalogue import ATTACKS, FAMILIES
from authbench.attacks.findings import Finding, Try
from authbench.attacks.table import broken_lines, table_of
from authbench.standing import VERIFY_SESSIONS

TRIED = Try(sent='alg ["HS256"]', expected="4xx", came="200", held=False)


def finding(strategy: str, family: str, outcome: str, **more: object) -> Finding:
    return Finding(strategy=strategy, family=family, attack="alg none", source="RFC", outcome=outcome, **more)  # type: ignore[arg-type]


ROWS = [
    finding("jwt-hs256", "alg", "held", tried=27),
    finding("jwt-hs256", "cookies", "not applicable", why="the credential is no cookie"),
    finding("mine", "alg", "broken", tried=27, broken=(TRIED, TRIED.model_copy(update={"sent": "alg none"}))),
    finding("mine", "cookies", "held", tried=3),
]


def printed(width: int, *things: object) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    for thing in things:
        console.print(thing, soft_wrap=isinstance(thing, str))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_line_a_strategy_a_column_a_family() -> None:
    head, *lines = printed(80, table_of(ROWS)).splitlines()
    assert head.split() == ["withstands", "alg", "cookies"]
    assert [line.split() for line in lines] == [["jwt-hs256", "27", "–"], ["mine", "2", "broken", "3"]]


def test_all_families_fit_a_page_with_the_longest_name() -> None:
    rows = [finding("opaque-introspection-cached", family, "held", tried=100) for family in FAMILIES]
    head, line = printed(120, table_of(rows)).splitlines()
    assert head.split()[1:] == list(FAMILIES)
    assert line.split() == ["opaque-introspection-cached", *["100"] * len(FAMILIES)]


def test_what_broke_is_told_in_full_and_what_is_known_as_known() -> None:
    known = {"mine": ("alg none: alg none",)}
    text = printed(80, *broken_lines(ROWS, known))
    assert text.splitlines() == [
        'broken mine: alg none: alg ["HS256"]: expected 4xx, came 200 (RFC)',
        "known mine: alg none: alg none (docs/strategies/mine.md)",
    ]


def test_names_of_attacks_are_unique_since_declarations_go_by_them() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.source for attack in ATTACKS)


def test_there_is_a_one_time_token_for_every_attack() -> None:
    called, holders = 2, 2  # verification calls as two users; victim and attacker are two more
    assert VERIFY_SESSIONS - called - holders >= len(ATTACKS)
