"""The append-only file of records: what was written before stays readable, whatever happens next."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel

from authbench.errors import UsageError
from authbench.records import SERIES_FILE, TRIALS_FILE, Sample, Trial


class Journal:
    """An append-only JSON-lines file: every row is flushed and fsynced before `append` returns.

    It is held by one process at a time, however that ends. Opening an existing file cuts off a torn last line (a crash
    in the middle of a write). Use as a context manager. Raises UsageError where another process writes it.
    """

    def __init__(self, path: Path, advice: str = "") -> None:
        """`advice`: what to do where the disk is full; without it, how to go on with a run."""
        self._path = path
        self._advice = advice or f"free some space and go on with: authbench run --resume {path.parent}"
        is_new = not path.exists()
        with self._writing():
            self._file = path.open("a+b", buffering=0)
            try:
                if path.is_file():
                    self._hold()
                    self._cut_torn_line()
                if is_new:
                    _sync_folder(path.parent)
            except BaseException:
                self._file.close()
                raise

    def append(self, *rows: BaseModel) -> None:
        """Write all rows durably or none. Raises UsageError where the disk is full or the folder gone."""
        data = b"".join(row.model_dump_json().encode() + b"\n" for row in rows)
        with self._writing():
            before = os.fstat(self._file.fileno()).st_size
            try:
                if self._file.write(data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._file.fileno())
            except OSError:
                with contextlib.suppress(OSError):  # the half that found room would only be a torn line
                    os.ftruncate(self._file.fileno(), before)
                raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise UsageError(f"{self._path}: another authbench is writing here; wait for it or end it") from None
        except OSError as error:
            raise UsageError(
                f"{self._path}: cannot write ({error.strerror}); what was measured before is kept, {self._advice}"
            ) from error

    def _hold(self) -> None:
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            return  # a file system without locks

    def _cut_torn_line(self) -> None:
        self._file.seek(0)
        data = self._file.read()
        if data and not data.endswith(b"\n"):
            self._file.truncate(data.rfind(b"\n") + 1)


def write_whole(path: Path, data: bytes) -> Path:
    """Writes the file whole or not at all: draft, fsync, rename. Answers `path`; raises OSError."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


class Records:
    """The two journals of a result folder. Use as a context manager. Raises UsageError as `Journal` does."""

    def __init__(self, folder: Path) -> None:
        with contextlib.ExitStack() as opened:
            self._trials = opened.enter_context(Journal(folder / TRIALS_FILE))
            self._series = opened.enter_context(Journal(folder / SERIES_FILE))
            self._opened = opened.pop_all()

    def append(self, trial: Trial, samples: Iterable[Sample]) -> None:
        """Samples first: a trial that is on disk has all of its own, and those of a lost one are nobody's."""
        self._series.append(*samples)
        self._trials.append(trial)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()


def _sync_folder(folder: Path) -> None:
    """Makes the folder's own entries durable, the file's name among them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
