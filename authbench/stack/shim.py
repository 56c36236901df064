"""What runs between fork and exec of every service: a file of its own, so that nothing runs in the forked bench.

`python -I -S shim.py CGROUP_FILES CORES UID:GID COMMAND…`. It waits on stdin for the word that the watchdog knows its
pid; when the bench dies before, stdin ends and so does it. Then it joins its cgroups, takes its cores, gives up root
and becomes the command. Exit codes: 125 never let go, 126 not allowed, 127 not found.
"""

import os
import resource
import sys

GO = b"g"
HANDED = b"h"  # what follows it on stdin is for the command, which finds it there


def main(cgroup_files: str, cores: str, account: str, *command: str) -> None:
    """Becomes the command, or exits with a line on stderr. Empty strings: no cgroup, no pinning, the same user."""
    word = os.read(0, 1)
    if word not in (GO, HANDED):
        sys.exit(125)
    try:
        if word == GO:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.umask(0o077)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold keys
        for path in cgroup_files.split("\n") if cgroup_files else ():
            with open(path, "w") as file:  # noqa: PTH123
                file.write(str(os.getpid()))
        if cores:
            os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
        if account:
            uid, gid = (int(part) for part in account.split(":"))
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        os.execv(command[0], command)  # noqa: S606 - becoming the command is its purpose
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error}\n")
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main(*sys.argv[1:])
