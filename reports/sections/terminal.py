"""Sections in a terminal: their tables, no wider than the words in them."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.sections import section
from reports.words import printable


def print_sections(sections: Sequence[section.Section], console: Console) -> None:
    """Title and tables of each; its sentences stand in the run's answer."""
    for each in sections:
        console.print(Text(f"\n{printable(each.title)}", style="bold"))
        for table in each.tables:
            console.print(Text(printable(table.title), style="dim"))
            console.print(_table(table))
            if table.note:
                console.print(Text(printable(table.note), style="dim"))


def _table(table: section.Table) -> Table:
    shown = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for number, head in enumerate(table.head):
        shown.add_column(Text(printable(head)), justify="right" if number and table.numeric else "left")
    for row in table.rows:
        shown.add_row(*(Text(printable(cell)) for cell in row))
    return shown
