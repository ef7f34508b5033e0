"""Which files the arguments of a command mean: files, patterns, and folders of models."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

from dense_calc.analysis.patterns import WILDCARD, escape_open_brackets
from dense_calc.errors import FileError
from dense_calc.keras_format.detect import (
    DETECTION_CHARACTERS,
    foreign_names_message,
    looks_like_keras,
)

_MODEL_SUFFIXES = (
    ".yaml",
    ".yml",
    ".keras",
)  # how models in a folder end, beside JSON that Keras wrote
_ANY_FOLDERS = "**"

_FOLDER_HINT = "a folder stands for the .yaml, .yml and .keras files and Keras' JSON in it"


def expand_file_arguments(arguments: Iterable[str]) -> Iterator[tuple[str, FileError | None]]:
    """The files that arguments mean, each once.

    Or an argument that means none, or a folder that cannot be read, and why.
    """
    seen = set()
    for argument in arguments:
        search = _FileSearch()
        try:
            files = search.expand_argument(argument)
        except FileError as error:
            search.mistakes.setdefault(argument, error)
            files = []
        for file in sorted([*files, *search.mistakes]):
            if os.path.normpath(file) not in seen:
                seen.add(os.path.normpath(file))
                yield file, search.mistakes.get(file)


class _FileSearch:
    """A search in folders; those that cannot be read are kept, with the reason."""

    def __init__(self) -> None:
        self.mistakes: dict[str, FileError] = {}

    def expand_argument(self, argument: str) -> list[str]:
        """The files that one argument means: a file, what fits a pattern, the models in a folder.

        Raises:
            FileError: there are none.
        """
        if os.path.isdir(argument):
            found = list(self.find_models([argument]))
            if not found and not self.mistakes:
                told = foreign_names_message(os.listdir(argument)) or _FOLDER_HINT
                raise FileError(f"there is no model in '{argument}'; {told}")
            return found
        if os.path.lexists(argument) or not WILDCARD.search(argument):
            return [argument]  # one that is not there is for the reader to say
        matched = self.match_pattern(argument)
        files = list(filter(_is_plain_file, matched))
        files += self.find_models(filter(os.path.isdir, matched))
        if not files and not self.mistakes:
            raise FileError(f"no file matches '{argument}'")
        return files

    def find_models(self, folders: Iterable[str]) -> Iterator[str]:
        """The models in folders and in those below them, but not by links to others."""
        for place, entries in self.walk_folders(folders, by_links=False):
            for entry in entries:
                path = os.path.join(place, entry.name)
                if _is_model_file(path) and _is_plain_file(path):
                    yield path

    def match_pattern(self, pattern: str) -> list[str]:
        """What fits a pattern, in which `**` stands for any folders, by links, too."""
        drive, path = os.path.splitdrive(pattern)
        parts = path.replace(os.sep, "/").split("/")
        found = [drive if parts[0] else f"{drive}{os.sep}"]
        for part in filter(None, parts):
            found = list(self.match_part(found, part))
        if parts[-1] != _ANY_FOLDERS:
            return found
        walk = self.walk_folders(found, by_links=False)
        paths = [os.path.join(place, entry.name) for place, entries in walk for entry in entries]
        return [path for path in paths if not os.path.isdir(path)]

    def match_part(self, folders: Iterable[str], part: str) -> Iterator[str]:
        """What in some folders fits a part of a pattern."""
        folders = (each for each in folders if os.path.isdir(each or os.curdir))
        if part == _ANY_FOLDERS:
            yield from (place for place, _ in self.walk_folders(folders, by_links=True))
        elif not WILDCARD.search(part):
            paths = (os.path.join(folder, part) for folder in folders)
            yield from filter(os.path.lexists, paths)
        else:
            part = escape_open_brackets(part)
            for folder in _distinct_folders(folders):
                for entry in self.list_entries(folder):
                    if fnmatch(entry.name, part) and (
                        part.startswith(".") or not _is_hidden_entry(entry)
                    ):
                        yield os.path.join(folder, entry.name)

    def walk_folders(
        self, folders: Iterable[str], *, by_links: bool
    ) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
        """Folders and all below them with what is in them, each real folder once, hidden ones not.

        They are entered by links only where there is no other way.
        """
        seen = set()
        waiting, links = list[str](), list[str]()
        for folder in folders:
            (links if os.path.islink(folder) else waiting).append(folder)
        while waiting or links:
            folder = (waiting or links).pop()
            key = _folder_identity(folder)
            if key in seen:
                continue
            seen.add(key)
            entries = [entry for entry in self.list_entries(folder) if not _is_hidden_entry(entry)]
            yield folder, entries
            for entry in entries:
                path = os.path.join(folder, entry.name)
                if not entry.is_symlink():
                    waiting += [path] * entry.is_dir()
                elif by_links and os.path.isdir(path):
                    links.append(path)

    def list_entries(self, folder: str) -> list[os.DirEntry[str]]:
        """What is in a folder; nothing where it cannot be read."""
        try:
            with os.scandir(folder or os.curdir) as entries:
                return list(entries)
        except OSError as error:
            reason = error.strerror or error
            self.mistakes[folder] = FileError(f"cannot read {folder}: {reason}")
            return []


def _distinct_folders(folders: Iterable[str]) -> Iterable[str]:
    """Each real folder once, by a name that is no link if it has one: links may go in circles."""
    by_links = sorted(folders, key=lambda folder: (os.path.islink(folder), folder))
    return {_folder_identity(folder): folder for folder in reversed(by_links)}.values()


def _folder_identity(folder: str) -> object:
    """What tells a folder from others, whatever it is called; its name where it cannot be read."""
    try:
        status = os.stat(folder or os.curdir)
    except OSError:
        return folder
    return status.st_dev, status.st_ino


def _is_hidden_entry(entry: os.DirEntry[str]) -> bool:
    """Whether the name of a file or folder says that it is hidden."""
    return entry.name.startswith(".")


def _is_plain_file(path: str) -> bool:
    """Whether this is a file, or a link that leads nowhere, which is for the reader to say.

    A pipe or a device may never end.
    """
    return os.path.isfile(path) or (os.path.islink(path) and not os.path.exists(path))


def _is_model_file(path: str) -> bool:
    """Whether a file looks like a model: by its ending, or as JSON that begins as Keras' does."""
    return path.endswith(_MODEL_SUFFIXES) or _is_keras_json(path)


def _is_keras_json(path: str) -> bool:
    """Whether this is JSON that begins as Keras begins it."""
    if not path.endswith(".json") or not os.path.isfile(path):
        return False
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return looks_like_keras(file.read(DETECTION_CHARACTERS))
    except OSError:
        return False
