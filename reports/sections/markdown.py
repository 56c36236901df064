"""Sections as Markdown, for the report of a pull request and for pages of documentation."""

from collections.abc import Callable, Sequence

from reports.sections.section import Section, Table


def section_lines(
    section: Section,
    escape: Callable[[str], str],
    *,
    charts: str = "",
    tables: bool = True,
    sentences: bool = False,
) -> list[str]:
    """The lines of one section; `charts`: the folder of its charts as a link reaches it, empty for no charts."""
    lines = ["", f"## {escape(section.title)}", ""]
    if sentences and section.sentences:
        lines += [*(f"- {escape(line.text)} _({line.certainty})_" for line in section.sentences), ""]
    for table in section.tables if tables else ():
        lines += table_lines(table, escape)
    if charts:
        for chart in section.charts:
            lines += [
                f"![{escape(chart.alt)}]({charts}/{chart.name}.svg)",
                "",
                f"<sub>{escape(chart.how_to_read)}</sub>",
                "",
            ]
    return [*lines, *(f"- {escape(note)}" for note in section.notes)]


def table_lines(table: Table, escape: Callable[[str], str]) -> list[str]:
    """One table with its title and note."""
    side = "---:" if table.numeric else "---"
    rows: Sequence[Sequence[str]] = (table.head, ["---", *[side] * (len(table.head) - 1)])
    head, rule = rows
    lines = [f"**{escape(table.title)}**", "", _cells([escape(cell) for cell in head]), _cells(rule)]
    lines += [_cells([escape(cell) for cell in row]) for row in table.rows]
    return [*lines, "", *([f"<sub>{escape(table.note)}</sub>", ""] if table.note else [])]


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
