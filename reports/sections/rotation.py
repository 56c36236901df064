"""Key rotation: whom it logs out, which requests it refuses wrongly, and how long the old key goes on being good."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from authbench.analysis.findings import Sentence
from authbench.analysis.rotation import FAMILIES, KIND, Rotated, rotations
from authbench.analysis.wording import certainty_of, listed
from reports.charts.canvas import Chart, caption, styled
from reports.charts.rotation import rotation_chart
from reports.numbers import MISSING, percent
from reports.sections.section import Found, Section, Table

NAMES = {"hs256": "HS256 secret", "secret key": "Django's SECRET_KEY", "jwks": "published keys"}
NOTES = (
    "overlap: every replica accepts the new key, then signs with it, then drops the old one. fallback: the new key "
    "signs at once and the old one is accepted, then dropped, as Django's documentation has it. at once: replaced.",
    "Wrongly refused is a 401 to a credential made with the new key, or with the old one before the step that drops it "
    "began. Users who renew do so before that step; those who keep what they have are refused after it, as promised.",
    "A replica leaves the balancer, ends, begins with other keys, and comes back; published keys are a file that is "
    "replaced as a whole. Logins and renewals under way are waited for before the balancer changes.",
    "A page of two requests sends both with the cookies it had when it began to load, and the second one when the "
    "first was answered: what a browser does whose server is further away than it takes to answer.",
    "The old key is tried with credentials that the strategy's own code made with it and that no user holds, ten times "
    "a second at every replica, past the balancer.",
)
Told = Callable[[Sequence[Rotated]], str]


def section(found: Found) -> Section | None:
    """None where the records hold no observation of this kind."""
    own = [row for row in found.observations if row.kind == KIND]
    if not own:
        return None
    rows = rotations(own)
    foot = caption(found.manifest)
    with styled():
        charts = [chart for key in FAMILIES if (chart := rotation_chart(rows, key, foot)) is not None]
    return Section(
        name=KIND,
        title="Key rotation: whom it logs out",
        sentences=tuple(_sentences(rows)),
        tables=(_table(rows),) if rows else (),
        charts=tuple[Chart, ...](charts),
        notes=(*NOTES, *_invalid(found)),
    )


def _sentences(rows: Sequence[Rotated]) -> list[Sentence]:
    if not rows:
        return [Sentence(text="No rotation was carried out that counts.", certainty="open")]
    parts: tuple[tuple[Iterable[Rotated], Told], ...] = (
        ((row for row in rows if row.way == "overlap" and row.page == 1), _of_overlap),
        ((row for row in rows if row.way == "overlap" and row.page > 1), _of_pages),
        ((row for row in rows if row.way == "fallback"), _of_fallback),
        ((row for row in rows if row.way == "at once"), _of_at_once),
        ((row for row in rows if row.old_refused is not None), _of_the_old_key),
        (rows, _of_restarts),
    )
    told = [(list(chosen), tell) for chosen, tell in parts]
    return [
        Sentence(text=tell(chosen), certainty=certainty_of(min(row.launches for row in chosen)))
        for chosen, tell in told
        if chosen
    ]


def _of_overlap(rows: Sequence[Rotated]) -> str:
    clean = [row for row in rows if not row.wrongly]
    told = "With overlap (accept, sign, drop)"
    if clean:
        requests = sum(row.requests for row in clean)
        renewing, out = sum(row.renewing for row in clean), sum(row.out_renewing for row in clean)
        told += (
            f" no request of {_strategies(clean)} was wrongly refused (0 of {requests:,}), and {out} of {renewing} "
            "users who renewed in time had to log in again"
        )
    wrong = [row for row in rows if row.wrongly]
    if wrong:
        told += " but of" if clean else ": of"
        told += f" {listed([_wrongly(row) for row in wrong])}"
    return f"{told}."


def _of_pages(rows: Sequence[Rotated]) -> str:
    told = listed([f"{row.out} of {row.users} users of {row.strategy}{_kept(row)}" for row in rows])
    return f"Where a page sends two requests at once, a rotation with overlap logged out {told}."


def _of_fallback(rows: Sequence[Rotated]) -> str:
    wrong = [row for row in rows if row.wrongly]
    if not wrong:
        requests = sum(row.requests for row in rows)
        return f"Signing with the new key before every replica accepts it: 0 of {requests:,} requests wrongly refused."
    told = listed([_wrongly(row) for row in wrong])
    return f"Signing with the new key before every replica accepts it wrongly refused requests of {told}."


def _of_at_once(rows: Sequence[Rotated]) -> str:
    everyone = [row for row in rows if row.out == row.users]
    nobody = [row for row in rows if not row.out]
    some = [row for row in rows if 0 < row.out < row.users]
    told = []
    if everyone:
        told.append(f"every user of {_strategies(everyone)} had to log in again")
    told += [f"{row.out} of {row.users} users of {row.strategy}" for row in some]
    if nobody:
        told.append(f"no user of {_strategies(nobody)} had to")
    wrong = [row for row in rows if row.wrongly]
    text = f"Replaced at once, {'; '.join(told)}"
    return (
        f"{text}; wrongly refused were requests of {listed([_wrongly(row) for row in wrong])}." if wrong else f"{text}."
    )


def _of_the_old_key(rows: Sequence[Rotated]) -> str:
    told = []
    for family in FAMILIES:
        seconds = [row.old_refused.value for row in rows if row.key == family and row.old_refused is not None]
        if seconds:
            told.append(f"{NAMES[family]} {_range(seconds)} s")
    return f"From the drop's begin until every replica refused the old key: {', '.join(told)}."


def _of_restarts(rows: Sequence[Rotated]) -> str:
    lost, requests = sum(row.lost for row in rows), sum(row.requests for row in rows)
    count = sum(row.launches for row in rows)
    return f"Of {requests:,} requests during {count} rotations {lost} failed or were not answered."


def _wrongly(row: Rotated) -> str:
    page = " with two requests a page" if row.page > 1 else ""
    return (
        f"{row.strategy}{_kept(row)}{page} {percent(row.wrongly_share.value)} ({row.wrongly} of {row.requests:,}, "
        f"in {row.wrong_launches} of {row.launches} launches)"
    )


def _kept(row: Rotated) -> str:
    return "" if row.secrets == "environment" else f" with keys in {row.secrets}"


def _strategies(rows: Sequence[Rotated]) -> str:
    return listed(sorted({row.strategy for row in rows}))


def _range(seconds: Sequence[float]) -> str:
    low, high = f"{min(seconds):.1f}", f"{max(seconds):.1f}"
    return low if low == high else f"{low} to {high}"


def _table(rows: Sequence[Rotated]) -> Table:
    several = len({row.secrets for row in rows}) > 1
    return Table(
        title="Rotations under load",
        head=(
            "strategy",
            "way",
            "requests a page",
            *(("keys from",) if several else ()),
            "launches",
            "wrongly refused",
            "renewing users logged out",
            "others logged out",
            "failed or lost",
            "replicas differ (s)",
            "old key refused after (s)",
        ),
        rows=tuple(
            (
                row.strategy,
                row.way,
                str(row.page),
                *((row.secrets,) if several else ()),
                str(row.launches),
                f"{row.wrongly} of {row.requests:,}",
                f"{row.out_renewing} of {row.renewing}",
                f"{row.out_keeping} of {row.keeping}",
                str(row.lost),
                _seconds(row, "mixed"),
                _seconds(row, "old_refused"),
            )
            for row in rows
        ),
        note="Counts are totals of all launches; times are means with 95 % intervals over launches. Times hold the "
        "restarts, which another machine does in another time.",
    )


def _seconds(row: Rotated, name: str) -> str:
    found = row.mixed if name == "mixed" else row.old_refused
    if found is None:
        return MISSING
    if found.low is None or found.high is None or found.low == found.high:
        return f"{found.value:.1f}"
    return f"{found.value:.1f} ({found.low:.1f} to {found.high:.1f})"


def _invalid(found: Found) -> tuple[str, ...]:
    bad = [row for row in found.observations if row.kind == KIND and not row.valid]
    if not bad:
        return ()
    codes = Counter(reason.code for row in bad for reason in row.reasons)
    told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    return (f"{len(bad)} observations do not count ({told}); authbench run --resume measures them again.",)
