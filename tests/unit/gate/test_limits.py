"""How much may be lost: every spelling, which limit wins, and a name or value that is wrong."""

import math
import re
from pathlib import Path

import pytest

from authbench.errors import UsageError
from authbench.gate.gated import ELAPSED, GATED
from authbench.gate.limits import MAX_REGRESSION, Limit, Limits, limits_from, share
from authbench.stack.replicas import ROOT

KNOWN = ("session-db", "jwt-hs256", "jwt-row")
CPU = "cpu_ms_per_request"
SQL = "statements_per_request"


def from_toml(tmp_path: Path, text: str, general: str | None = None, *each: str) -> Limits:
    path = tmp_path / "limits.toml"
    path.write_text(text, encoding="utf-8")
    return limits_from(path, general, each, KNOWN)


def told(caught: pytest.ExceptionInfo[UsageError]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5%", 0.05),
        ("5 %", 0.05),
        (" 5% ", 0.05),
        ("0.5%", 0.005),
        ("0.05", 0.05),
        (0.05, 0.05),
        (0, 0.0),
        (1, 1.0),
        ("0", 0.0),
        ("0%", 0.0),
        ("100%", 1.0),
        ("100.0%", 1.0),
    ],
)
def test_a_share_in_every_spelling(value: str | float, number: float) -> None:
    assert share(value, "here") == pytest.approx(number)


@pytest.mark.parametrize(
    "value",
    [
        *("", "%", "five", "-1", "-5%", "+5%", "5%%", "5 % 5", "nan", "inf", "0x1", "1,5%", ".5.%", "5％"),
        *(math.nan, math.inf, -0.01, True, False, None, [], ["5%"], {}, {"a": 1}),
    ],
)
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match=r"^here: .* is no share; write 5% or 0\.05") as caught:
        share(value, "here")  # type: ignore[arg-type]
    told(caught)


@pytest.mark.parametrize(("value", "is_told"), [("500%", "500 %"), (5, "500 %"), ("1.01", "101 %"), ("3", "300 %")])
def test_more_than_all_is_no_share_and_says_how_much_it_would_be(value: str | float, is_told: str) -> None:
    with pytest.raises(UsageError, match="between 0% and 100%") as caught:
        share(value, "--max-regression")
    assert is_told in told(caught)
    assert "--max-regression" in told(caught)


def test_a_small_share_is_a_share(tmp_path: Path) -> None:
    assert from_toml(tmp_path, "max_regression = 0.00001").max_regression == pytest.approx(1e-5)


def test_without_anything_counts_may_not_grow_and_the_rest_by_three_percent_or_what_is_its_own() -> None:
    limits = limits_from(None, None, (), KNOWN)
    assert limits == Limits()
    assert MAX_REGRESSION == 0.03
    for name, gated in GATED.items():
        share = Limit(kind="share", most=gated.allowed or 0.03)
        expected = Limit(kind="count", most=0) if gated.judged == "exact" else share
        assert limits.of("jwt-hs256", name) == expected


def test_time_to_the_answer_may_grow_by_what_is_allowed_in_general_where_that_is_more() -> None:
    assert limits_from(None, "7%", (), KNOWN).of("jwt-hs256", ELAPSED).most == 0.25
    assert limits_from(None, "40%", (), KNOWN).of("jwt-hs256", ELAPSED).most == 0.40


def test_the_general_limit_is_for_what_is_no_exact_count() -> None:
    limits = limits_from(None, "7%", (), KNOWN)
    assert limits.of("jwt-hs256", CPU) == Limit(kind="share", most=0.07)
    assert limits.of("jwt-hs256", "python_calls_per_request").most == 0.07
    assert limits.of("jwt-hs256", SQL) == Limit(kind="count", most=0)


def test_the_most_specific_wins_in_a_file(tmp_path: Path) -> None:
    limits = from_toml(
        tmp_path,
        f"""
        max_regression = "4%"
        [metrics.{CPU}]
        max_regression = "6%"
        [strategies.jwt-hs256.{CPU}]
        max_regression = 0.08
        [strategies.jwt-row.{SQL}]
        max_increase = 2
        """,
    )
    assert limits.of("session-db", "instructions_per_request").most == 0.04
    assert limits.of("session-db", CPU).most == 0.06
    assert limits.of("jwt-hs256", CPU).most == 0.08
    assert limits.of("jwt-row", CPU).most == 0.06
    assert limits.of("jwt-row", SQL) == Limit(kind="count", most=2)
    assert limits.of("jwt-hs256", SQL) == Limit(kind="count", most=0)


def test_the_most_specific_wins_on_the_command_line_whatever_the_order() -> None:
    each = [f"{CPU}=6%", f"jwt-hs256:{CPU}=8%"]
    for order in (each, each[::-1]):
        limits = limits_from(None, "4%", order, KNOWN)
        assert limits.of("session-db", "instructions_per_request").most == 0.04
        assert limits.of("session-db", CPU).most == 0.06
        assert limits.of("jwt-hs256", CPU).most == 0.08


FILE = f"""
max_regression = "4%"
[metrics.{CPU}]
max_regression = "6%"
[strategies.jwt-hs256.{CPU}]
max_regression = "8%"
[strategies.jwt-hs256.{SQL}]
max_increase = 1
"""


def test_the_command_line_wins_over_the_same_limit_in_the_file(tmp_path: Path) -> None:
    limits = from_toml(tmp_path, FILE, "5%", f"{CPU}=7%", f"jwt-hs256:{CPU}=9%")
    assert limits.of("session-db", "instructions_per_request").most == 0.05
    assert limits.of("session-db", CPU).most == 0.07
    assert limits.of("jwt-hs256", CPU).most == 0.09
    assert limits.of("jwt-hs256", SQL).most == 1  # what the command line does not name stays


def test_what_is_more_specific_in_the_file_stands_beside_the_command_line(tmp_path: Path) -> None:
    limits = from_toml(tmp_path, FILE, "50%", f"{CPU}=40%")
    assert limits.of("session-db", CPU).most == 0.40
    assert limits.of("jwt-hs256", CPU).most == 0.08


def test_the_later_of_two_on_the_command_line_wins() -> None:
    assert limits_from(None, None, [f"{CPU}=6%", f"{CPU}=7%"], KNOWN).of("jwt-row", CPU).most == 0.07


def test_a_count_for_exact_figures_and_a_share_with_percent() -> None:
    limits = limits_from(None, None, [f"{SQL}=2", "answer_bytes=1%", f"{CPU}=0.05"], KNOWN)
    assert limits.of("jwt-row", SQL) == Limit(kind="count", most=2)
    assert limits.of("jwt-row", "answer_bytes") == Limit(kind="share", most=0.01)
    assert limits.of("jwt-row", CPU) == Limit(kind="share", most=0.05)


@pytest.mark.parametrize(
    ("each", "said"),
    [
        ("statments_per_request=1", "no metric 'statments_per_request'; did you mean 'statements_per_request'?"),
        ("cpu_ms=5%", "did you mean 'cpu_ms_per_request'?"),
        ("jwt-hs265:cpu_ms_per_request=5%", "no strategy 'jwt-hs265'; did you mean 'jwt-hs256'?"),
        ("jwt-hs256:cpu_ms_per_reqest=5%", "did you mean 'cpu_ms_per_request'?"),
        ("zzzz=5%", "known are answer_bytes"),
        ("zzzz:cpu_ms_per_request=5%", "known are jwt-hs256, jwt-row, session-db"),
        ("=5%", "no metric ''"),
        (":cpu_ms_per_request=5%", "no strategy ''"),
        ("cpu_ms_per_request", "write metric=5% or strategy:metric=5%"),
        ("", "write metric=5%"),
        ("cpu_ms_per_request=", "is no share"),
        ("cpu_ms_per_request=500%", "500 %"),
        ("cpu_ms_per_request=nan", "is no share"),
        ("statements_per_request=-1", "is no count"),
        ("statements_per_request=nan", "is no count"),
        ("statements_per_request=inf", "is no count"),
        ("statements_per_request=many", "is no count"),
        ("statements_per_request=", "is no count"),
    ],
)
def test_a_mistake_on_the_command_line_names_it_and_the_nearest(each: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        limits_from(None, None, [each], KNOWN)
    assert told(caught).startswith(f"--limit {each}: ")
    assert said in told(caught)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_regresion = '5%'", "no key 'max_regresion'; did you mean 'max_regression'?"),
        ("[metric.cpu_ms_per_request]\nmax_regression = 0.05", "did you mean 'metrics'?"),
        ("[metrics.cpu_ms_per_reqest]\nmax_regression = 0.05", "did you mean 'cpu_ms_per_request'?"),
        ("[metrics.cpu_ms_per_request]\nmax_regresion = 0.05", "did you mean 'max_regression'?"),
        ("[metrics.statements_per_request]\nmax_increas = 1", "did you mean 'max_increase'?"),
        ("[strategies.jwt-hs265.cpu_ms_per_request]\nmax_regression = 0.05", "did you mean 'jwt-hs256'?"),
        ("[strategies.jwt-row.cpu_ms_per_requst]\nmax_regression = 0.05", "did you mean 'cpu_ms_per_request'?"),
        ("[strategies.jwt-row.cpu_ms_per_request]\nmax_regr = 0.05", "strategies.jwt-row.cpu_ms_per_request"),
        ("[metrics.cpu_ms_per_request]", "one of them"),
        ("[metrics.statements_per_request]\nmax_increase = 1\nmax_regression = 0.1", "one of them"),
        ("[metrics.cpu_ms_per_request]\nmax_increase = 1", "is no count a request; give max_regression"),
        ("[metrics.statements_per_request]\nmax_increase = -1", "is no count"),
        ("[metrics.statements_per_request]\nmax_increase = nan", "is no count"),
        ("[metrics.statements_per_request]\nmax_increase = inf", "is no count"),
        ("[metrics.statements_per_request]\nmax_increase = [1]", "is no count"),
        ("[metrics.statements_per_request]\nmax_increase = '1%'", "is no count"),
        ("max_regression = true", "is no share"),
        ("max_regression = nan", "is no share"),
        ("max_regression = -1", "is no share"),
        ("max_regression = 5", "500 %"),
        ("max_regression = '500%'", "500 %"),
        ("max_regression = ['5%']", "is no share"),
        ("max_regression = { a = 1 }", "is no share"),
        ("metrics = 5", "metrics: must be a table, not 5"),
        ("metrics.cpu_ms_per_request = '5%'", "metrics.cpu_ms_per_request: must be a table, not '5%'"),
        ("[[metrics]]\na = 1", "must be a table"),
        ("strategies = []", "strategies: must be a table"),
        ("strategies.jwt-row = 1", "strategies.jwt-row: must be a table"),
        ("max_regression = ", "not TOML"),
        ("max_regression = 5%", "not TOML"),
        ("[metrics.cpu_ms_per_request", "not TOML"),
        ("max_regression = 0.01\nmax_regression = 0.02", "not TOML"),
    ],
)
def test_a_mistake_in_the_file_names_the_file_and_the_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_toml(tmp_path, text)
    assert told(caught).startswith(f"{tmp_path / 'limits.toml'}: ")
    assert said in told(caught)


@pytest.mark.parametrize("value", ["true", "false"])
def test_a_boolean_is_no_count(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match="is no count"):
        from_toml(tmp_path, f"[metrics.statements_per_request]\nmax_increase = {value}")


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read: No such file"):
        limits_from(tmp_path / "nowhere.toml", None, (), KNOWN)
    with pytest.raises(UsageError, match="cannot read"):
        limits_from(tmp_path, None, (), KNOWN)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not TOML"):
        limits_from(tmp_path / "binary.toml", None, (), KNOWN)


def test_the_example_of_the_documentation_says_what_it_shows(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, re.M | re.S)
    limits = from_toml(tmp_path, example)
    assert limits.max_regression == 0.03
    assert limits.of("session-db", CPU).most == 0.03
    assert limits.of("session-db", "instructions_per_request") == Limit(kind="share", most=0.02)
    assert limits.of("session-db", SQL) == Limit(kind="count", most=0)
    assert limits.of("jwt-hs256", CPU) == Limit(kind="share", most=0.05)


def test_the_options_of_the_documentation_parse() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    each = re.findall(r"`--limit (\S+)`", page)
    assert each == ["instructions_per_request=2%", "jwt-hs256:cpu_ms_per_request=5%"]
    limits = limits_from(None, "5%", each, KNOWN)
    assert limits.of("jwt-hs256", "instructions_per_request").most == 0.02
    assert limits.of("jwt-hs256", CPU).most == 0.05
    assert limits.of("jwt-row", CPU).most == 0.05


@pytest.mark.parametrize(
    ("limit", "base", "candidate", "is_allowed"),
    [
        (Limit(kind="share", most=0.03), 1000, 1030, True),
        (Limit(kind="share", most=0.03), 1000, 1031, False),
        (Limit(kind="share", most=0.1), 30_000, 33_000, True),  # 33000.000000000004 in floats
        (Limit(kind="share", most=0.03), 1000, 900, True),
        (Limit(kind="share", most=0.03), 0, 0, True),
        (Limit(kind="share", most=0.03), 0, 1, False),
        (Limit(kind="share", most=0.0), 1e9, 1e9 + 2, False),
        (Limit(kind="count", most=0), 2, 2, True),
        (Limit(kind="count", most=0), 2, 3, False),
        (Limit(kind="count", most=1), 2, 3, True),
        (Limit(kind="count", most=1), 2, 4, False),
        (Limit(kind="count", most=0), 2, 1, True),
    ],
)
def test_what_a_limit_allows(limit: Limit, base: float, candidate: float, is_allowed: bool) -> None:
    assert limit.allows(base, candidate) is is_allowed


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (Limit(kind="share", most=0.03), "+3 %"),
        (Limit(kind="share", most=0.005), "+0.5 %"),
        (Limit(kind="share", most=0), "+0 %"),
        (Limit(kind="count", most=0), "+0"),
        (Limit(kind="count", most=2), "+2"),
    ],
)
def test_how_a_limit_is_told(limit: Limit, said: str) -> None:
    assert limit.told() == said
