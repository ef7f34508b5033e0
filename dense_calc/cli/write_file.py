"""Writes a file completely or not at all: an old file stays until the new one is complete."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from dense_calc.cli.streams import exit_on_signals
from dense_calc.errors import FileError
from dense_calc.files.loader import was_file_read


def save_file(path: str, parts: Iterable[bytes]) -> None:
    """Write the parts of a file, one after the other.

    Links are followed, and a new file has the mode of the one that it replaces. A device, a pipe,
    and a file in a folder that is not writable are written in place.

    Raises:
        FileError: the file cannot be written, or is one that was read.
    """
    try:
        if was_file_read(path):
            raise FileError(f"cannot write {path}: it is a file that was read")
        target = os.path.realpath(path) if os.path.islink(path) else path
        with (
            _open_replacement(target) if _is_replaceable(path, target) else open(path, "wb") as file
        ):
            file.writelines(parts)
    except BrokenPipeError:  # of a named pipe; silent, as for standard output
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"cannot write {path}: {reason}") from None


def demand_new_file(path: str) -> None:
    """Raise FileError if a file is there already, which a person may have worked on."""
    if os.path.isfile(path):
        raise FileError(f"cannot write {path}: it exists; --force replaces it")


def _is_replaceable(path: str, target: str) -> bool:
    """Whether the target is a plain file, or is free, in a folder that is writable."""
    folder, name = os.path.split(target)
    if _is_stream_path(path) or not name.strip(".") or not os.access(folder or ".", os.W_OK):
        return False
    return not os.path.lexists(target) or (os.path.isfile(target) and os.access(target, os.W_OK))


def _is_stream_path(path: str) -> bool:
    """Whether a path may name an open stream: `/dev/stderr`, `/proc/self/fd/3`."""
    folder = os.path.realpath(os.path.dirname(path))
    return folder == "/dev" or folder.startswith("/proc/")


@contextmanager
def _open_replacement(path: str) -> Iterator[BinaryIO]:
    """A temporary file that replaces `path` once it is complete, and is deleted if it never is."""
    exit_on_signals()
    temporary = os.path.join(os.path.dirname(path), f".dense-calc-{os.urandom(8).hex()}")
    try:
        with open(temporary, "xb") as file:
            if os.path.exists(path):
                _copy_permissions(os.stat(path), temporary)
            yield file
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _copy_permissions(status: os.stat_result, path: str) -> None:
    """Give a file the mode of another and, if that is allowed, its owner."""
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(path, status.st_uid, status.st_gid)
    os.chmod(path, status.st_mode & 0o7777)
