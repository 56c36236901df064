"""Result folders of made-up runs, and a run whose every name is hostile."""

from pathlib import Path

from authbench.records import Manifest, Sample, Trial
from tests.unit.analysis.synthetic import TRUTHS, Truth, World, make

HOSTILE = (
    "<script>alert(1)</script>",
    "a|b`c`\n# heading",
    '=HYPERLINK("http://evil.example/x",1)',
    "![x](http://evil.example/x.png) @someone",
    "{{ 7 * 7 }} {% raw %} [red]markup[/red] $\\frac{1}{2}$",
    "\"' onmouseover='alert(2)' x=\"",
    "名前 \u202e\x1b[31m",
)


def hostile_world() -> World:
    """Seven strategies whose names and places are attacks, beside control and reference."""
    bad = [
        Truth(**{**TRUTHS[4].__dict__, "name": name, "location": name, "twin": None, "app": 0.3 + 0.05 * number})
        for number, name in enumerate(HOSTILE)
    ]
    return World(launches=2, truths=(TRUTHS[0], TRUTHS[1], *bad), rejected=frozenset({HOSTILE[0]}))


def hostile_manifest(manifest: Manifest) -> Manifest:
    """The manifest with attacks in every text that a person or a machine may have written."""
    told = manifest.model_dump()
    told["command"] = "authbench run '<img src=http://evil.example/x onerror=alert(1)>'"
    told["softened"] = HOSTILE
    told["warnings"] = HOSTILE
    told["versions"] = dict.fromkeys(HOSTILE, HOSTILE[0])
    told["machine"]["cpu_model"] = HOSTILE[0]
    for contender in told["contenders"]:
        contender["summary"] = contender["location"] = contender["carrier"] = HOSTILE[0]
        contender["problems"] = HOSTILE if not contender["verified"] else ()
    return Manifest.model_validate(told)


def write(folder: Path, manifest: Manifest, trials: tuple[Trial, ...], series: tuple[Sample, ...] = ()) -> Path:
    """A result folder as a run leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    for name, rows in (("trials.jsonl", trials), ("series.jsonl", series)):
        if rows or name == "trials.jsonl":
            (folder / name).write_text("".join(f"{row.model_dump_json()}\n" for row in rows), encoding="utf-8")
    return folder


def written(folder: Path, world: World) -> Path:
    """The folder of that world."""
    return write(folder, *make(world))
