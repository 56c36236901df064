"""Sections in a terminal: their tables, no cell of which is ever cut."""

from collections.abc import Sequence

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from reports.sections import section
from reports.table import MARKS
from reports.words import printable

GAP = 2  # blanks between columns


def print_sections(sections: Sequence[section.Section], console: Console) -> None:
    """Title, sentences and tables of each; those of the first stand in the run's answer."""
    for number, each in enumerate(sections):
        console.print(Text(f"\n{printable(each.title)}", style="bold"))
        for line in each.sentences if number else ():
            console.print(Text(f"{MARKS[line.certainty]} {printable(line.text)} [{line.certainty}]"))
        for table in each.tables:
            console.print(Text(printable(table.title), style="dim"))
            widths = _widths(table)
            needed = sum(widths) + GAP * len(widths)
            # A table that is too wide goes on beyond the edge: half a number would be worse than a broken line.
            console.print(_table(table, widths), width=max(console.width, needed), crop=False)
            if table.note:
                console.print(Text(printable(table.note), style="dim"))


def _widths(table: section.Table) -> list[int]:
    """Least width of each column: its longest cell, or the longest word where cells are sentences."""
    columns = list(zip(*(tuple(map(printable, row)) for row in (table.head, *table.rows)), strict=True))
    words = [max(len(word) for cell in column for word in cell.split() or [""]) for column in columns]
    if not table.numeric:
        return [max(map(len, columns[0])) if len(columns) > 3 else words[0], *words[1:]]
    return [
        max(word, *(len(cell) for cell in column[1:])) if column[1:] else word
        for word, column in zip(words, columns, strict=True)
    ]


def _table(table: section.Table, widths: Sequence[int]) -> Table:
    shown = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    for number, (head, width) in enumerate(zip(table.head, widths, strict=True)):
        justify: JustifyMethod = "right" if number and table.numeric else "left"
        shown.add_column(Text(printable(head)), justify=justify, min_width=width)
    for row in table.rows:
        shown.add_row(*(Text(printable(cell)) for cell in row))
    return shown
