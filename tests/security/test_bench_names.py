"""Names, questions and reasons that would like to be more than text: inert wherever the bench writes them."""

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from authbench.analysis.summary import summarise
from authbench.progress import Bar
from authbench.terminal import one_line, shown
from reports.build import build
from reports.exports.annotations import command
from reports.exports.case import Case
from reports.exports.junit import junit
from reports.exports.step_summary import step_summary
from reports.exports.table_csv import FORMULA_STARTS, table
from reports.markdown import escape
from reports.table import print_summary
from tests.browser.test_report import browser, open_page  # noqa: F401 - fixtures
from tests.unit.analysis.synthetic import TRUTHS, World, make
from tests.unit.reports.folder import hostile_manifest, write

NAMES = (
    "<script>document.title='run'</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(2)",
    "<a href=javascript:alert(3)>x</a>",
    "</title><svg onload=alert(4)>",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "a | b || c",
    "[x](javascript:alert(5))",
    "![x](http://evil.example/x.png)",
    "x\x1b]8;;http://evil.example\x1b\\click\x1b[2J",
    "x\r\n::error::injected",
    "::add-mask::x%0A::set-output",
    "[/red] [link=http://evil.example]x[/link] [bold",
    "{{ 7 * 7 }} {% include 'x' %}",
    "x\u202egnp.exe\u2066",
    "nul\x00bel\x07",
)
CASE = Case("a", "b", "failed", "c")


def world() -> World:
    bad = [
        replace(TRUTHS[4], name=name, location=name, twin=None, app=0.3 + 0.02 * number)
        for number, name in enumerate(NAMES)
    ]
    return World(launches=2, truths=(TRUTHS[0], TRUTHS[1], *bad), rejected=frozenset({NAMES[0]}))


@pytest.mark.browser
def test_the_page_runs_nothing_asks_for_nothing_and_has_no_link_that_is_a_script(
    tmp_path: Path,
    open_page,  # noqa: F811
) -> None:
    manifest, trials, series = make(world())
    build(write(tmp_path, hostile_manifest(manifest), trials, series))
    page, asked, complaints = open_page((tmp_path / "report.html").as_uri())
    assert (asked, complaints) == ([], [])
    assert page.title() != "run"
    assert page.locator("script, iframe, object, embed, base, form").count() == 0
    attributes = page.evaluate(
        "[...document.querySelectorAll('*')].flatMap(each => [...each.attributes].map(a => [a.name, a.value]))"
    )
    assert [name for name, _ in attributes if name.startswith("on")] == []
    links = [value for name, value in attributes if name in ("href", "src", "action", "xlink:href")]
    assert [link for link in links if not link.startswith(("data:image/", "#")) and link != "data:,"] == []
    assert NAMES[0] in page.locator("body").inner_text()  # it is shown, as text


@pytest.mark.parametrize("name", NAMES)
def test_in_markdown_a_name_is_text(name: str) -> None:
    for text in (escape(name), step_summary([replace(CASE, name=name, suite=name, message=name)], title=name)):
        assert "<script" not in text
        assert "<img" not in text
        assert "<a " not in text
        assert "\x1b" not in text
        assert "](" not in text.replace("\\]", "")  # a bracket that is escaped closes nothing
    row = escape(name)
    assert row.replace("\\|", "").count("|") == 0
    assert "\n" not in row


@pytest.mark.parametrize("name", NAMES)
def test_in_a_spreadsheet_a_name_is_no_formula(name: str) -> None:
    (head, row) = csv.reader(io.StringIO(table([name, "x"], [[name, -1.5]]).decode(), newline=""))
    for cell in (head[0], row[0]):
        assert not cell.startswith(FORMULA_STARTS)
        assert "\n" not in cell
        assert "\x1b" not in cell
    assert row[1] == "-1.5"  # a number stays one


@pytest.mark.parametrize("name", NAMES)
def test_in_junit_a_name_is_text(name: str) -> None:
    case = Case(name, name, "failed", name, name)
    root = ET.fromstring(junit([case], name=name, properties={name: name}))
    assert {each.tag for each in root.iter()} <= {
        *("testsuites", "testsuite", "testcase", "failure", "properties", "property", "system-out")
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_command_stays_the_one_it_is(name: str) -> None:
    line = command("error", name, name)
    assert line.count("\n") == line.count("\r") == 0
    assert line.startswith("::error title=")
    title, _, message = line.removeprefix("::error title=").partition("::")  # what follows is data to its end
    assert ":" not in title
    assert "," not in title
    assert "%" not in message.replace("%0A", "").replace("%25", "")  # a percent sign of the name's is no escape


def printed(text: str) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system=None)
    console.print(text, highlight=False)
    return console.file.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_in_a_terminal_a_name_moves_nothing_and_begins_no_line(name: str) -> None:
    out = printed(shown(name))
    assert out.endswith("\n")
    assert out.count("\n") == 1
    assert out[:-1].isprintable()
    assert out.rstrip("\n").rstrip() == one_line(name).rstrip()  # and no tag of it was obeyed


def test_a_whole_table_of_them_leaves_the_terminal_as_it_was() -> None:
    manifest, trials, _ = make(world())
    console = Console(file=io.StringIO(), force_terminal=True, width=160, color_system=None)
    print_summary(summarise(hostile_manifest(manifest), trials), console)
    assert all(line.isprintable() for line in console.file.getvalue().split("\n"))


def test_a_line_of_somebody_else_s_ends_no_run() -> None:
    """`[/x]` is an error to Rich where nothing is open."""
    from rich.progress import Progress

    console = Console(file=io.StringIO(), width=200)
    bar = Bar(console, Progress(console=console, disable=True))
    bar.say("a replica said [/x]")
    assert console.file.getvalue() == "a replica said [/x]\n"
