"""Sections wherever a report shows them: nothing cut, nothing executed, nothing lost."""

import io

import pytest
from rich.console import Console

from reports.markdown import escape
from reports.sections.markdown import section_lines
from reports.sections.section import Section, Table
from reports.sections.terminal import print_sections

NAMES = ("session-cookie-claims", "opaque-introspection-cached")
WIDE = Table(
    "Connections <b>",
    ("strategy", *(f"{2**n} replicas held" for n in range(9))),
    tuple((name, *("1,234.5 (1,000.1–1,300.2)" for _ in range(9))) for name in NAMES),
    note="a note | with a bar",
)
SENTENCES = Table(
    "Claim by claim",
    ("claim", "measured", "holds?"),
    (("Sessions double the connections of a database.", "8 and 16 " * 20, "holds only when " + "that is so " * 9),),
    numeric=False,
)


def section(*tables: Table) -> Section:
    return Section("kind", "A *title*", (), tables, (), notes=("https://example.org is no link",))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_cell_is_cut_in_a_terminal_of_any_width(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    print_sections([section(WIDE)], console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    assert shown.count("1,234.5 (1,000.1–1,300.2)") == 18
    assert all(name in shown for name in NAMES)


def test_sentences_are_wrapped_within_the_terminal() -> None:
    console = Console(file=io.StringIO(), width=80)
    print_sections([section(SENTENCES)], console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_markdown_escapes_every_text_and_keeps_every_cell() -> None:
    text = "\n".join(section_lines(section(WIDE), escape))
    assert "<b>" not in text
    assert "A \\*title\\*" in text
    assert "a note \\| with a bar" in text
    assert "https://" not in text
    assert text.count("1,234.5") == 18
