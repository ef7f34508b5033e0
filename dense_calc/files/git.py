"""The bytes of a file at a git revision, read from git's database, not from the work tree.

The configuration of a repository is not trusted: git runs no filter, hook or helper that it names,
and fetches nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import lru_cache

from dense_calc.errors import AbsentError, FileError

# Git sets these for its hooks. The repository of the file counts, not that of a hook.
_HOOK_VARIABLES = {"GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"}
MAX_BLOB_BYTES = 256 * 2**20  # for archives with weights; the reader of a text is stricter
_LFS_POINTER = b"version https://git-lfs"  # the start of a file that stands for one in Git LFS
_LFS_MESSAGE = (
    "it is a pointer of Git LFS; what 'git lfs smudge' makes of it is a file to compare with"
)
_LOST_OBJECT_MESSAGE = (
    "git has lost it, which 'git fsck' tells more of; or this is a partial clone, to which "
    "'git show' brings it"
)
_REPOSITORY_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE")  # if both are set, the user chose them
# Git before 2.44 does not know GIT_NO_LAZY_FETCH: there, no protocol is allowed for a fetch.
_SAFE_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_SAFE_OPTIONS = ("--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


def read_revision(path: str, revision: str) -> bytes:
    """The bytes of a file at a revision; a symbolic link is followed as it was then.

    Raises:
        AbsentError: there is no such revision, or no such file at it.
        FileError: git cannot be run, or cannot read the file.
    """
    if path == "-":
        raise FileError(f"standard input has no revision '{revision}'; name a file")
    folder, name = os.path.split(os.path.abspath(path))
    folder = os.path.realpath(folder)
    commit = _demand_commit(folder, revision)
    title = f"{revision}:{path}"
    number, size = _find_blob(folder, commit, name, (path, revision))
    if size > MAX_BLOB_BYTES:
        raise FileError(f"cannot read {title}: it is larger than {MAX_BLOB_BYTES // 2**20} MiB")
    answer = _run_git(folder, "cat-file", "blob", number)
    if answer.returncode:
        raise FileError(f"cannot read {title}: {_git_failure(answer)}")
    if answer.stdout.startswith(_LFS_POINTER):
        raise FileError(f"cannot read {title}: {_LFS_MESSAGE}")
    return answer.stdout


def _find_blob(folder: str, commit: str, name: str, origin: tuple[str, str]) -> tuple[str, int]:
    """The number and the bytes of a file's blob at a commit.

    `origin` is the path and the revision that messages name.

    Raises:
        AbsentError: there is no such file.
        FileError: it is no file, or git cannot read it.
    """
    path, revision = origin
    question = f"{commit}:./{name}"
    end, flags = ("\0", ("-z",)) if "\n" in name else ("\n", ())  # -z needs git 2.38
    command = ("cat-file", "--batch-check", "--follow-symlinks", *flags)
    answer = _run_git(folder, *command, question=f"{question}{end}")
    blob = re.fullmatch(rb"([0-9a-f]+) blob ([0-9]+)\n", answer.stdout)
    if blob:
        return blob[1].decode(), int(blob[2])
    if answer.returncode == 0 and answer.stdout != os.fsencode(f"{question} missing\n"):
        raise FileError(
            f"'{path}' is not a file in revision '{revision}', "
            f"but {_describe_non_file(answer.stdout)}"
        )
    entry = _run_git(folder, "ls-tree", commit, "--", name)  # it reads the folder alone
    if entry.returncode:
        raise FileError(f"cannot read {revision}:{path}: {_git_failure(entry)}")
    if entry.stdout:
        raise FileError(f"cannot read {revision}:{path}: {_LOST_OBJECT_MESSAGE}")
    raise AbsentError(f"'{path}' is not in revision '{revision}'")


def _describe_non_file(head: bytes) -> str:
    """The object that git has in place of a file, in words."""
    if b" tree " in head:
        return "a folder"
    return "a link that leads out of it, or nowhere"


def _demand_commit(folder: str, revision: str) -> str:
    """The number of the commit of a revision, in the repository of a folder.

    Raises:
        AbsentError: there is none.
        FileError: the folder is in no repository.
    """
    commit, mistake = _find_commit(folder, revision)
    if mistake:
        raise mistake
    return commit


@lru_cache(maxsize=1000)  # the files of a folder have the same
def _find_commit(folder: str, revision: str) -> tuple[str, FileError | None]:
    """The number of a commit, or '' and the error that there is none."""
    inside = _run_git(folder, "rev-parse", "--is-inside-work-tree")
    if inside.returncode:
        return "", FileError(f"cannot ask git for revision '{revision}': {_git_failure(inside)}")
    if inside.stdout.strip() != b"true":
        return "", FileError(f"cannot ask git for revision '{revision}': this is not a work tree")
    commit = _find_object(folder, f"{revision}^{{commit}}")
    if commit:
        return commit, None
    if _is_lost_revision(folder, revision):
        return "", FileError(f"cannot read revision '{revision}': {_LOST_OBJECT_MESSAGE}")
    shallow = _run_git(folder, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    hint = "; the clone is shallow, 'git fetch' brings more of it" if shallow else ""
    return "", AbsentError(f"there is no revision '{revision}'{hint}")


def _is_lost_revision(folder: str, revision: str) -> bool:
    """Whether a revision names an object that git should have but cannot read."""
    number = _find_object(folder, revision)
    if not number or not _run_git(folder, "cat-file", "-t", number).returncode:
        return False
    exists = not _run_git(folder, "cat-file", "-e", number).returncode
    return exists or number != revision  # a number need not be one of an object


def _find_object(folder: str, revision: str) -> str:
    """The number that a revision names, '' if none; git may not have the object itself."""
    command = ("rev-parse", "--verify", "--quiet", "--end-of-options", revision)
    number = _run_git(folder, *command).stdout.decode(errors="replace").strip()
    return number if re.fullmatch("[0-9a-f]+", number) else ""


def _run_git(
    folder: str, *command: str, question: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, with a question on its standard input if there is one."""
    environ = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
    if all(name in os.environ for name in _REPOSITORY_VARIABLES):
        environ |= {name: os.path.abspath(os.environ[name]) for name in _REPOSITORY_VARIABLES}
    try:
        return subprocess.run(  # noqa: S603, there is no shell
            ("git", "-C", folder, *_SAFE_OPTIONS, *command),  # noqa: S607, the user's own
            input=b"" if question is None else os.fsencode(question),
            capture_output=True,
            env=environ | _SAFE_ENVIRONMENT,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise FileError(f"cannot run git: {getattr(error, 'strerror', None) or error}") from None


def _git_failure(answer: subprocess.CompletedProcess[bytes]) -> str:
    """The error message of git, and the command that git advises, if any."""
    lines = answer.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
    message = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
    advice = next((line.strip() for line in lines if line.startswith("\tgit ")), None)
    return message.removeprefix("fatal: ") + (f"; git advises: {advice}" if advice else "")
