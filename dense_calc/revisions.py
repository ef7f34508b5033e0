"""What a file held at a revision of git's, read from its database: the work tree is not touched."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache

from dense_calc.errors import AbsentError, FileError

# What git sets for its hooks: the repository that they run for. That of the file is meant.
OF_A_HOOK = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"}
ASKS_NOTHING = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def content(path: str, revision: str) -> bytes:
    """The bytes of a file at a revision, as git would check them out.

    Raises:
        AbsentError: there is no such revision, or no such file at it.
        FileError: git cannot be asked, or the file is in no repository of its.
    """
    if path == "-":
        raise FileError(f"standard input has no revision '{revision}'; name a file")
    folder, name = os.path.split(os.path.realpath(path))
    commit = commit_of(folder, revision)
    blob = f"{commit}:./{name}"
    found = asked(folder, "cat-file", "--filters", blob)
    if not found.returncode:
        return found.stdout
    if asked(folder, "cat-file", "-e", blob).returncode:
        raise AbsentError(f"'{path}' is not in revision '{revision}'")
    raise FileError(f"cannot read '{path}' at revision '{revision}': {why(found)}")


@lru_cache(maxsize=1000)  # the files of a folder have the same
def commit_of(folder: str, revision: str) -> str:
    """The name of the commit that a revision is in the repository of a folder.

    Raises:
        AbsentError: there is none.
        FileError: the folder is in no repository.
    """
    inside = asked(folder, "rev-parse", "--is-inside-work-tree")
    if inside.returncode:
        raise FileError(f"cannot ask git for revision '{revision}': {why(inside)}")
    spoken = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = asked(folder, *spoken)
    if found.returncode:
        shallow = asked(folder, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        hint = "; the clone is shallow, 'git fetch' brings more of it" if shallow else ""
        raise AbsentError(f"there is no revision '{revision}'{hint}")
    return found.stdout.decode().strip()


def asked(folder: str, *command: str) -> subprocess.CompletedProcess[bytes]:
    """What git answers in a folder."""
    environ = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK}
    try:
        return subprocess.run(  # noqa: S603, there is no shell
            ("git", "-C", folder, *command),  # noqa: S607, the user's own
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environ | ASKS_NOTHING,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise FileError(f"cannot run git: {getattr(error, 'strerror', None) or error}") from None


def why(answer: subprocess.CompletedProcess[bytes]) -> str:
    """What git says went wrong."""
    lines = answer.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
    return lines[-1].removeprefix("fatal: ")
