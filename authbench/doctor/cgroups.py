"""In which cgroups this process stands."""

from pathlib import Path

OWN = Path("/proc/self/cgroup")
MOUNTS = Path("/proc/self/mounts")


def own_folders(controller: str, own: Path = OWN, mounts: Path = MOUNTS) -> list[Path]:
    """Its groups' folders for that controller, innermost first up to the mount; v1 before v2; empty without cgroups.

    Raises OSError where /proc does not tell.
    """
    v1, v2 = _mount_points(controller, mounts)
    folders: list[Path] = []
    for line in own.read_text(encoding="utf-8").splitlines():
        _, names, path = line.split(":", 2)
        mount = v2 if not names else v1 if controller in names.split(",") else None
        if mount is not None:
            here = mount / path.lstrip("/")
            folders += [here, *(parent for parent in here.parents if parent.is_relative_to(mount))]
    return list(dict.fromkeys(folders))


def value(folder: Path, name: str) -> str | None:
    """What that file of the group holds; None where there is no such file."""
    try:
        return (folder / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _mount_points(controller: str, mounts: Path) -> tuple[Path | None, Path | None]:
    v1 = v2 = None
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, path, kind, options, *_ = line.split()
        if kind == "cgroup2":
            v2 = Path(path)
        elif kind == "cgroup" and controller in options.split(","):
            v1 = Path(path)
    return v1, v2
