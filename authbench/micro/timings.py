"""What one launch of the micro-benchmarks wrote down, as pytest-benchmark writes it."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from authbench.errors import UsageError

US = 1e6  # microseconds in a second, pytest-benchmark's unit


@dataclass(frozen=True, slots=True)
class Timing:
    """One benchmark in one launch."""

    launch: int
    group: str  # what is done
    subject: str  # by what
    version: str  # of the subject's package; empty where it has none
    median_us: float  # of its rounds: one that the machine hit has no say
    least_us: float
    rounds: int
    size_bytes: int | None = None  # of what it made


class _Stats(BaseModel):
    median: float = Field(gt=0)
    min: float = Field(gt=0)
    rounds: int = Field(ge=1)


class _About(BaseModel):
    subject: str
    version: str = ""
    bytes: int | None = None


class _Benchmark(BaseModel):
    group: str
    stats: _Stats
    extra_info: _About


class _Written(BaseModel):
    benchmarks: tuple[_Benchmark, ...]


def read_launch(path: Path, launch: int) -> tuple[Timing, ...]:
    """Every benchmark of a launch's file. Raises UsageError where it is no such file of ours."""
    try:
        found = _Written.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: not what loadtests/micro writes: {where}: {first['msg']}") from error
    return tuple(
        Timing(
            launch=launch,
            group=each.group,
            subject=each.extra_info.subject,
            version=each.extra_info.version,
            median_us=each.stats.median * US,
            least_us=each.stats.min * US,
            rounds=each.stats.rounds,
            size_bytes=each.extra_info.bytes,
        )
        for each in found.benchmarks
    )
