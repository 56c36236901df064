"""Both builds as git worktrees: what is in them, which Python serves them, and that nothing stays behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from authbench.errors import StackError, UsageError
from authbench.gate import trees
from authbench.gate.trees import LOCK, Tree, environment, guarded_folder, worktrees
from authbench.progress import Silent
from tests.unit.gate import made
from tests.unit.gate.made import git, write

REGISTRY = "apps/contract/registry.py"
FILES = {
    REGISTRY: "first\n",
    "apps/shop.py": "first\n",
    "docs.md": "first\n",
    LOCK: "django==5.2\n",
    ".gitignore": "*.log\n",
}


class Heard(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def phase(self, name: str) -> None:
        self.said.append(name)


@pytest.fixture(autouse=True)
def _no_git_of_somebody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the settings of whoever runs the tests, nor the repository whose hook runs them."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Two commits on `main`, the first of them tagged `old`."""
    repo = made.repository(tmp_path / "repo", FILES)
    git(repo, "tag", "old")
    write(repo, {"apps/shop.py": "second\n"})
    git(repo, "commit", "--quiet", "--all", "--message=second")
    return repo


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def state(repo: Path) -> dict[str, str]:
    """Everything of the user's that a gate must leave alone."""
    files = {
        str(p.relative_to(repo)): p.read_text()
        for p in sorted(repo.rglob("*"))
        if p.is_file() and ".git/" not in str(p)
    }
    return {
        "status": git(repo, "status", "--porcelain=v2", "--branch", "--untracked-files=all", "--ignored"),
        "staged": git(repo, "diff", "--cached"),
        "unstaged": git(repo, "diff"),
        "index": git(repo, "ls-files", "--stage"),
        "stashes": git(repo, "stash", "list"),
        "refs": git(repo, "for-each-ref"),
        "head": (repo / ".git" / "HEAD").read_text(),
        "worktrees": git(repo, "worktree", "list"),
        **files,
    }


def text(tree: Tree, name: str) -> str | None:
    path = tree.root / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def test_base_is_the_commit_and_candidate_the_clean_head(repo: Path, scratch: Path) -> None:
    with worktrees(repo, "old", scratch, Silent()) as (base, candidate):
        assert (text(base, "apps/shop.py"), text(candidate, "apps/shop.py")) == ("first\n", "second\n")
        assert base.commit == git(repo, "rev-parse", "old").strip()
        assert candidate.commit == git(repo, "rev-parse", "HEAD").strip()
        assert base.told == f"old ({base.commit[:9]})"
        assert candidate.told == f"HEAD ({candidate.commit[:9]})"
        assert base.root.parent == candidate.root.parent == scratch
        assert len(base.root.name) == len(candidate.root.name)


def test_what_is_not_committed_is_in_the_candidate_and_not_in_the_base(repo: Path, scratch: Path) -> None:
    write(repo, {"apps/shop.py": "changed\n", "apps/staged.py": "staged\n", "apps/new/deep.py": "untracked\n"})
    git(repo, "add", "apps/staged.py")
    (repo / "docs.md").unlink()
    head = git(repo, "rev-parse", "HEAD").strip()
    with worktrees(repo, "HEAD", scratch, Silent()) as (base, candidate):
        assert [
            text(candidate, name) for name in ("apps/shop.py", "apps/staged.py", "apps/new/deep.py", "docs.md")
        ] == [
            "changed\n",
            "staged\n",
            "untracked\n",
            None,
        ]
        assert [text(base, name) for name in ("apps/shop.py", "apps/staged.py", "apps/new/deep.py", "docs.md")] == [
            "second\n",
            None,
            None,
            "first\n",
        ]
        assert candidate.told == f"work tree on {head[:9]}, 4 files changed"
        assert candidate.commit != head


def test_of_untracked_files_those_below_apps_that_are_not_ignored_are_copied(repo: Path, scratch: Path) -> None:
    write(repo, {"apps/new file é.py": "1\n", "apps/x.log": "ignored\n", "notes.txt": "mine\n", "tests/new.py": "2\n"})
    with worktrees(repo, "HEAD", scratch, Silent()) as (base, candidate):
        assert text(candidate, "apps/new file é.py") == "1\n"
        for name in ("apps/x.log", "notes.txt", "tests/new.py"):
            assert text(candidate, name) is None
        assert text(base, "apps/new file é.py") is None
        assert candidate.commit != git(repo, "rev-parse", "HEAD").strip()


def test_one_changed_file_is_told_as_one(repo: Path, scratch: Path) -> None:
    write(repo, {"apps/shop.py": "changed\n"})
    with worktrees(repo, "HEAD", scratch, Silent()) as (_, candidate):
        assert candidate.told.endswith(", 1 file changed")


@pytest.mark.parametrize("name", ["nowhere", "origin/main", "", "-x", "--help", "a b", "HEAD~99", "main:apps"])
def test_a_ref_that_is_no_commit_is_one_clear_line_with_a_hint(repo: Path, scratch: Path, name: str) -> None:
    before = state(repo)
    with pytest.raises(UsageError, match="no such commit") as caught, worktrees(repo, name, scratch, Silent()):
        pytest.fail("there are no trees")
    assert str(caught.value).startswith(f"--against {name}: ")
    assert "fetch-depth: 0" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert state(repo) == before
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["HEAD", "HEAD~1", "main", "old", "refs/heads/main", "main@{0}"])
def test_every_way_to_name_a_commit_will_do(repo: Path, scratch: Path, name: str) -> None:
    with worktrees(repo, name, scratch, Silent()) as (base, _):
        assert base.commit == git(repo, "rev-parse", f"{name}^{{commit}}").strip()


class BoomError(Exception):
    """What a block may raise."""


@pytest.mark.parametrize("raised", [None, BoomError, KeyboardInterrupt, SystemExit])
def test_nothing_stays_behind_and_nothing_of_the_users_changes(
    repo: Path, scratch: Path, raised: type[BaseException] | None
) -> None:
    write(
        repo, {"apps/shop.py": "changed\n", "apps/staged.py": "staged\n", "apps/untracked.py": "new\n", "x.log": "1\n"}
    )
    git(repo, "add", "apps/staged.py")
    before = state(repo)
    try:
        with worktrees(repo, "old", scratch, Silent()) as (base, candidate):
            write(base.root, {"apps/made.pyc": "left by a process\n"})
            write(candidate.root, {"apps/shop.py": "left by a process\n"})
            assert len(git(repo, "worktree", "list").splitlines()) == 3
            if raised is not None:
                raise raised
    except (BoomError, KeyboardInterrupt, SystemExit) as error:
        assert type(error) is raised
    assert state(repo) == before
    assert list(scratch.iterdir()) == []
    assert not (repo / ".git" / "worktrees").exists()


def test_a_stash_of_the_users_own_stays_as_it_is(repo: Path, scratch: Path) -> None:
    write(repo, {"apps/shop.py": "put away\n"})
    git(repo, "stash", "push", "--quiet")
    write(repo, {"apps/shop.py": "changed again\n"})
    before = state(repo)
    with worktrees(repo, "HEAD", scratch, Silent()) as (_, candidate):
        assert text(candidate, "apps/shop.py") == "changed again\n"
    assert state(repo) == before
    assert len(before["stashes"].splitlines()) == 1


def test_a_worktree_of_the_users_own_stays_as_it_is(repo: Path, scratch: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "--quiet", "-b", "mine", str(tmp_path / "mine"))
    before = state(repo)
    with worktrees(repo, "mine", scratch, Silent()):
        pass
    assert state(repo) == before
    assert (tmp_path / "mine" / "docs.md").is_file()


def test_a_linked_worktree_can_be_gated_too(repo: Path, scratch: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(repo, "worktree", "add", "--quiet", "-b", "mine", str(linked))
    write(linked, {"apps/shop.py": "changed here\n"})
    with worktrees(linked, "old", scratch, Silent()) as (base, candidate):
        assert (text(base, "apps/shop.py"), text(candidate, "apps/shop.py")) == ("first\n", "changed here\n")
    assert len(git(repo, "worktree", "list").splitlines()) == 2


def test_what_a_killed_gate_left_is_swept_by_the_next(repo: Path, scratch: Path, tmp_path: Path) -> None:
    lost, absent = tmp_path / "authbench-killed" / "base", tmp_path / "on-a-disk-that-is-absent"
    for folder in (lost, absent):
        git(repo, "worktree", "add", "--quiet", "--detach", str(folder))
        subprocess.run(["rm", "-r", str(folder)], check=True)
    with worktrees(repo, "HEAD", scratch, Silent()):
        pass
    left = git(repo, "worktree", "list")
    assert str(lost) not in left
    assert str(absent) in left  # the user's own


def test_a_build_that_cannot_be_checked_out_leaves_nothing_of_the_other(
    repo: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = state(repo), trees._git

    def failing(folder: Path, *arguments: str, more: dict[str, str] | None = None) -> str:
        if "add" in arguments and any(each.endswith("cand") for each in arguments):
            raise UsageError("git worktree add: no space left")
        return real(folder, *arguments, more=more)

    monkeypatch.setattr(trees, "_git", failing)
    with pytest.raises(UsageError, match="no space left"), worktrees(repo, "old", scratch, Silent()):
        pytest.fail("there are no trees")
    assert state(repo) == before
    assert list(scratch.iterdir()) == []


def test_hooks_of_the_repository_have_no_say(repo: Path, scratch: Path) -> None:
    """Git runs post-checkout in each new worktree; what it does there, or that it fails, is not the gate's."""
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho hooked > apps/hooked.py\nexit 3\n")
    hook.chmod(0o755)
    with worktrees(repo, "old", scratch, Silent()) as (base, _):
        assert text(base, "apps/hooked.py") is None


def test_a_file_that_is_only_announced_is_in_the_candidate(repo: Path, scratch: Path) -> None:
    write(repo, {"apps/announced.py": "new\n"})
    git(repo, "add", "--intent-to-add", "apps/announced.py")
    with worktrees(repo, "HEAD", scratch, Silent()) as (_, candidate):
        assert text(candidate, "apps/announced.py") == "new\n"


@pytest.mark.parametrize("kind", ["broken link", "nested repository"])
def test_what_is_untracked_and_no_file_is_no_crash(repo: Path, scratch: Path, kind: str) -> None:
    if kind == "broken link":
        (repo / "apps" / "dangling").symlink_to("/nowhere")
    else:
        made.repository(repo / "apps" / "nested", {"x.py": "1\n"})
    try:
        with worktrees(repo, "HEAD", scratch, Silent()):
            pass
    except UsageError as error:
        assert "apps/" in str(error)


# The checkout


def test_the_checkout_around_a_folder_is_found_from_anywhere_in_it(repo: Path) -> None:
    assert trees.repository(repo) == trees.repository(repo / "apps" / "contract") == repo


def test_a_checkout_without_a_shop_gives_way_to_the_one_that_authbench_runs_from(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "ROOT", repo)
    other = made.repository(tmp_path / "other", {"readme": "1\n"})
    nowhere = tmp_path / "plain"
    nowhere.mkdir()
    assert trees.repository(other) == trees.repository(nowhere) == repo


def test_where_neither_is_a_checkout_of_the_shop_there_is_nothing_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "ROOT", tmp_path)
    with pytest.raises(UsageError, match="there is no commit to compare with here"):
        trees.repository(tmp_path)


def test_without_git_it_says_so(repo: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(scratch))
    with pytest.raises(UsageError) as caught, worktrees(repo, "HEAD", scratch, Silent()):
        pytest.fail("there are no trees")
    assert "git" in str(caught.value)


def test_the_folder_is_gone_after_the_block_whatever_it_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished: list[Path] = []

    class Watchdog:
        def remove(self, folder: Path) -> None:
            self.folder = folder

        def finish(self) -> None:
            finished.append(self.folder)
            self.folder.rmdir()

    monkeypatch.setattr(trees, "Watchdog", Watchdog)
    monkeypatch.setattr(trees.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(trees.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(BoomError), guarded_folder() as folder:
        assert folder.parent == tmp_path
        raise BoomError
    assert finished == [folder]
    assert not folder.exists()


# The Python


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes | None]]:
    """Locks that an environment was asked for."""
    asked: list[bytes | None] = []

    def fake(lock: bytes | None, watcher: object) -> str:
        asked.append(lock)
        return f"/python/of/{(lock or b'none').decode().strip()}"

    monkeypatch.setattr(trees, "environment", fake)
    return asked


def test_equal_locks_are_served_by_the_running_python(repo: Path, scratch: Path, asked: list[bytes]) -> None:
    with worktrees(repo, "old", scratch, Silent()) as (base, candidate):
        assert base.python == candidate.python == sys.executable
    assert asked == []


def test_without_any_lock_the_running_python_serves_both(tmp_path: Path, scratch: Path, asked: list[bytes]) -> None:
    repo = made.repository(tmp_path / "bare", {REGISTRY: "1\n"})
    with worktrees(repo, "HEAD", scratch, Silent()) as (base, candidate):
        assert base.python == candidate.python == sys.executable
    assert asked == []


@pytest.mark.parametrize("how", ["committed", "changed"])
def test_different_locks_give_each_side_an_environment_of_its_own(
    repo: Path, scratch: Path, asked: list[bytes], how: str
) -> None:
    write(repo, {LOCK: "django==5.3\n"})
    if how == "committed":
        git(repo, "commit", "--quiet", "--all", "--message=lock")
    watcher = Heard()
    with worktrees(repo, "old", scratch, watcher) as (base, candidate):
        assert (base.python, candidate.python) == ("/python/of/django==5.2", "/python/of/django==5.3")
    assert asked == [b"django==5.2\n", b"django==5.3\n"]
    assert [line for line in watcher.said if LOCK in line]


def test_a_lock_that_only_the_work_tree_has_counts(tmp_path: Path, scratch: Path, asked: list[bytes]) -> None:
    repo = made.repository(tmp_path / "bare", {REGISTRY: "1\n"})
    write(repo, {LOCK: "new\n"})
    with worktrees(repo, "HEAD", scratch, Silent()):
        pass
    assert asked == [None, b"new\n"]


# Environments


class Pip:
    """Runs nothing; makes what `venv` would make, and fails where it is told to."""

    def __init__(self, failing: str = "nothing") -> None:
        self.failing = failing
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, *command: str) -> None:
        self.commands.append(command)
        if self.failing in command:
            raise StackError(f"{command[2]}: exit code 1", "no such hash")
        if "venv" in command:
            write(Path(command[-1]), {"bin/python": ""})


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    pip = Pip()
    monkeypatch.setattr(trees, "_run", pip)
    return pip


def test_an_environment_is_exactly_what_the_lock_names_with_hashes(pip: Pip, tmp_path: Path) -> None:
    python = Path(environment(b"django==5.2\n", Silent(), tmp_path))
    folder = python.parent.parent
    assert folder.parent == tmp_path
    assert (folder / LOCK).read_bytes() == b"django==5.2\n"
    venv, install = pip.commands
    assert venv == (sys.executable, "-m", "venv", str(folder))
    assert install[:4] == (str(python), "-m", "pip", "install")
    assert "--require-hashes" in install
    assert install[-2:] == ("--requirement", str(folder / LOCK))


def test_an_environment_is_made_once_a_lock(pip: Pip, tmp_path: Path) -> None:
    watcher = Heard()
    one = environment(b"a", watcher, tmp_path)
    assert environment(b"a", watcher, tmp_path) == one
    assert len(pip.commands) == 2
    assert len(watcher.said) == 1
    assert environment(b"b", watcher, tmp_path) != one
    assert len(pip.commands) == 4


def test_another_python_has_environments_of_its_own(pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = environment(b"a", Silent(), tmp_path)
    monkeypatch.setattr(trees.sys, "version", "3.99.0 (made up)")
    assert environment(b"a", Silent(), tmp_path) != one


def test_what_was_left_half_made_is_made_anew(pip: Pip, tmp_path: Path) -> None:
    pip.failing = "install"
    with pytest.raises(StackError) as caught:
        environment(b"a", Silent(), tmp_path)
    assert caught.value.log_tail == "no such hash"
    (folder,) = tmp_path.iterdir()
    write(folder, {"bin/left": "over"})
    pip.failing = "nothing"
    assert Path(environment(b"a", Silent(), tmp_path)).is_file()
    assert not (folder / "bin" / "left").exists()


def test_the_cache_is_the_users_own(pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert Path(environment(b"a", Silent())).is_relative_to(tmp_path / "cache" / "authbench" / "environments")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert Path(environment(b"a", Silent())).is_relative_to(tmp_path / "home" / ".cache" / "authbench")


def test_a_side_without_a_lock_cannot_be_built(pip: Pip, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=f"one side has no {LOCK}"):
        environment(None, Silent(), tmp_path)
    assert pip.commands == []


def test_a_cache_that_cannot_be_written_is_one_clear_line(pip: Pip, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="cannot write"):
        environment(b"a", Silent(), tmp_path / "file")


@pytest.mark.parametrize(
    ("code", "said"), [("import sys; sys.exit(3)", "exit code 3"), ("import time; time.sleep(60)", "not done after")]
)
def test_a_build_that_fails_or_never_ends_is_one_clear_line(
    code: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "INSTALL_WITHIN_S", 0.5 if "sleep" in code else 60)
    with pytest.raises(StackError, match=said) as caught:
        trees._run(sys.executable, "-S", "-c", code)
    assert "\n" not in str(caught.value)


def test_the_last_lines_of_a_failed_build_are_kept() -> None:
    with pytest.raises(StackError) as caught:
        trees._run(sys.executable, "-S", "-c", "import sys; sys.exit('\\n'.join(f'line {n}' for n in range(9)))")
    assert caught.value.log_tail.splitlines() == [f"line {n}" for n in range(4, 9)]
