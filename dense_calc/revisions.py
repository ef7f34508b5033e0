"""What a file held at a revision of git's, read from its database: the work tree is not touched."""

from __future__ import annotations

import os
import re
import subprocess
from functools import lru_cache

from dense_calc.errors import AbsentError, FileError

# What git sets for its hooks: the repository that they run for. That of the file is meant.
OF_A_HOOK = {"GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"}
POINTER = b"version https://git-lfs"  # how a file begins that stands for one kept elsewhere
PLACES = ("GIT_DIR", "GIT_WORK_TREE")  # together they are the user's own choice
ASKS_NOTHING = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def content(path: str, revision: str) -> bytes:
    """The bytes of a file at a revision; a link leads to where it led then.

    Raises:
        AbsentError: there is no such revision, or no such file at it.
        FileError: git cannot be asked, or has no such file to read.
    """
    if path == "-":
        raise FileError(f"standard input has no revision '{revision}'; name a file")
    folder, name = os.path.split(os.path.abspath(path))
    folder = os.path.realpath(folder)
    blob = f"{commit_of(folder, revision)}:./{name}"
    answer = asked(folder, "cat-file", "--batch", "--follow-symlinks", question=blob)
    head, _, rest = answer.stdout.partition(b"\n")
    if head == os.fsencode(f"{blob} missing"):
        raise AbsentError(f"'{path}' is not in revision '{revision}'")
    found = re.fullmatch(rb"[0-9a-f]+ blob ([0-9]+)", head)
    if not found:
        raise FileError(f"'{path}' is no file in revision '{revision}', but {what(head)}")
    data = rest[: int(found[1])]
    if not data.startswith(POINTER):
        return data
    return asked(folder, "cat-file", "--filters", blob).stdout or data


def what(head: bytes) -> str:
    """What git has in place of a file."""
    if b" tree " in head:
        return "a folder"
    return "a link that leads out of it, or nowhere"


def commit_of(folder: str, revision: str) -> str:
    """The name of the commit that a revision is in the repository of a folder.

    Raises:
        AbsentError: there is none.
        FileError: the folder is in no repository.
    """
    commit, mistake = looked_up(folder, revision)
    if mistake:
        raise mistake
    return commit


@lru_cache(maxsize=1000)  # the files of a folder have the same
def looked_up(folder: str, revision: str) -> tuple[str, FileError | None]:
    """The name of a commit, or why there is none."""
    inside = asked(folder, "rev-parse", "--is-inside-work-tree")
    if inside.returncode:
        return "", FileError(f"cannot ask git for revision '{revision}': {why(inside)}")
    if inside.stdout.strip() != b"true":
        return "", FileError(f"cannot ask git for revision '{revision}': this is no work tree")
    spoken = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = asked(folder, *spoken).stdout.decode(errors="replace").strip()
    if re.fullmatch("[0-9a-f]+", commit):
        return commit, None
    shallow = asked(folder, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    hint = "; the clone is shallow, 'git fetch' brings more of it" if shallow else ""
    return "", AbsentError(f"there is no revision '{revision}'{hint}")


def asked(
    folder: str, *command: str, question: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """What git answers in a folder, perhaps to a question on its standard input."""
    environ = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK}
    if all(name in os.environ for name in PLACES):
        environ |= {name: os.path.abspath(os.environ[name]) for name in PLACES}
    try:
        return subprocess.run(  # noqa: S603, there is no shell
            ("git", "-C", folder, *command),  # noqa: S607, the user's own
            input=b"" if question is None else os.fsencode(f"{question}\n"),
            capture_output=True,
            env=environ | ASKS_NOTHING,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise FileError(f"cannot run git: {getattr(error, 'strerror', None) or error}") from None


def why(answer: subprocess.CompletedProcess[bytes]) -> str:
    """What git says went wrong."""
    lines = answer.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
    said = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
    return said.removeprefix("fatal: ")
