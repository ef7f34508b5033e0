"""The files that the arguments of a command name: files, patterns, and folders of models."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

from dense_calc.errors import FileError
from dense_calc.files.gallery_files import GALLERY_PREFIX
from dense_calc.keras_format.detect import (
    DETECTION_CHARACTERS,
    foreign_names_message,
    looks_like_keras,
)
from dense_calc.tracing.name_patterns import WILDCARD, escape_open_brackets

_MODEL_SUFFIXES = (".yaml", ".yml", ".keras")  # in folders; for JSON, the text decides
_ANY_FOLDERS = "**"

FileArgument = tuple[str, FileError | None]  # a file with None, or what names none and its error

_FOLDER_HINT = "a folder stands for the .yaml, .yml and .keras files and Keras' JSON in it"


def expand_file_arguments(arguments: Iterable[str]) -> Iterator[FileArgument]:
    """The files that arguments name, each once, with None.

    An argument that names no file, and a folder that cannot be read, come with their errors.
    """
    seen = set()
    for argument in arguments:
        search = _FileSearch()
        try:
            files = search.expand_argument(argument)
        except FileError as error:
            search.errors.setdefault(argument, error)
            files = []
        for file in sorted([*files, *search.errors]):
            key = _is_reserved(file), os.path.normpath(file)
            if key not in seen:
                seen.add(key)
                yield file, search.errors.get(file)


def demand_file(argument: FileArgument) -> str:
    """The file of an argument.

    Raises:
        FileError: it names none.
    """
    file, error = argument
    if error:
        raise error
    return file


def spell_out_path(path: str) -> str:
    """A path that means a file on the disk, whatever its name is: `./-`, `./gallery:gpt2`."""
    return os.path.join(os.curdir, path) if _is_reserved(path) else path


def _is_reserved(path: str) -> bool:
    """Whether a path means standard input or a model of the gallery."""
    return path == "-" or path.startswith(GALLERY_PREFIX)


class _FileSearch:
    """A search in folders; `errors` are those of folders that cannot be read."""

    def __init__(self) -> None:
        self.errors: dict[str, FileError] = {}

    def expand_argument(self, argument: str) -> list[str]:
        """The files of one argument: a file, the matches of a pattern, or the models in a folder.

        Raises:
            FileError: there are none.
        """
        if _is_reserved(argument):
            return [argument]
        if os.path.isdir(argument):
            models = list(self._find_models([argument]))
            if not models and not self.errors:
                hint = foreign_names_message(os.listdir(argument)) or _FOLDER_HINT
                raise FileError(f"there is no model in '{argument}'; {hint}")
            return models
        if os.path.lexists(argument) or not WILDCARD.search(argument):
            return [argument]  # the reader complains if it does not exist
        matches = list(map(spell_out_path, self._match_pattern(argument)))
        files = list(filter(_is_plain_file, matches))
        files += self._find_models(filter(os.path.isdir, matches))
        if not files and not self.errors:
            raise FileError(f"no file matches '{argument}'")
        return files

    def _find_models(self, folders: Iterable[str]) -> Iterator[str]:
        """The models in folders and in the folders below them, without following links."""
        for folder, entries in self._walk_folders(folders, by_links=False):
            for entry in entries:
                path = os.path.join(folder, entry.name)
                if _is_model_file(path) and _is_plain_file(path):
                    yield path

    def _match_pattern(self, pattern: str) -> list[str]:
        """The paths that match a pattern, in which `**` means any folders, also behind links."""
        drive, path = os.path.splitdrive(pattern)
        parts = path.replace(os.sep, "/").split("/")
        matches = [drive if parts[0] else f"{drive}{os.sep}"]
        for part in filter(None, parts):
            matches = list(self._match_part(matches, part))
        if parts[-1] != _ANY_FOLDERS:
            return matches
        walk = self._walk_folders(matches, by_links=False)
        paths = [os.path.join(folder, entry.name) for folder, entries in walk for entry in entries]
        return [path for path in paths if not os.path.isdir(path)]

    def _match_part(self, folders: Iterable[str], part: str) -> Iterator[str]:
        """The paths in folders that match one part of a pattern."""
        folders = (each for each in folders if os.path.isdir(each or os.curdir))
        if part == _ANY_FOLDERS:
            yield from (folder for folder, _ in self._walk_folders(folders, by_links=True))
        elif not WILDCARD.search(part):
            paths = (os.path.join(folder, part) for folder in folders)
            yield from filter(os.path.lexists, paths)
        else:
            part = escape_open_brackets(part)
            for folder in _distinct_folders(folders):
                for entry in self._list_entries(folder):
                    if fnmatch(entry.name, part) and (
                        part.startswith(".") or not _is_hidden_entry(entry)
                    ):
                        yield os.path.join(folder, entry.name)

    def _walk_folders(
        self, folders: Iterable[str], *, by_links: bool
    ) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
        """Folders and all below them with their entries; each real folder once, no hidden ones.

        Links are followed last, so that a folder has its real name if there is a way without them.
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
            entries = [entry for entry in self._list_entries(folder) if not _is_hidden_entry(entry)]
            yield folder, entries
            for entry in entries:
                path = os.path.join(folder, entry.name)
                if not entry.is_symlink():
                    waiting += [path] * entry.is_dir()
                elif by_links and os.path.isdir(path):
                    links.append(path)

    def _list_entries(self, folder: str) -> list[os.DirEntry[str]]:
        """The entries of a folder; none if it cannot be read, which goes into `errors`."""
        try:
            with os.scandir(folder or os.curdir) as entries:
                return list(entries)
        except OSError as error:
            reason = error.strerror or error
            self.errors[folder] = FileError(f"cannot read {folder}: {reason}")
            return []


def _distinct_folders(folders: Iterable[str]) -> Iterable[str]:
    """Each real folder once, by a name that is no link if it has one; links may form cycles."""
    by_links = sorted(folders, key=lambda folder: (os.path.islink(folder), folder))
    return {_folder_identity(folder): folder for folder in reversed(by_links)}.values()


def _folder_identity(folder: str) -> object:
    """The device and number of a folder, the same for all its names; or its name if unreadable."""
    try:
        status = os.stat(folder or os.curdir)
    except OSError:
        return folder
    return status.st_dev, status.st_ino


def _is_hidden_entry(entry: os.DirEntry[str]) -> bool:
    """Whether a file or folder is hidden: its name begins with a dot."""
    return entry.name.startswith(".")


def _is_plain_file(path: str) -> bool:
    """Whether this is a file, or a broken link, about which the reader complains.

    A pipe or a device is none, as reading it may never end.
    """
    return os.path.isfile(path) or (os.path.islink(path) and not os.path.exists(path))


def _is_model_file(path: str) -> bool:
    """Whether a file looks like a model: by its suffix, or as JSON that looks like Keras'."""
    return path.endswith(_MODEL_SUFFIXES) or _is_keras_json(path)


def _is_keras_json(path: str) -> bool:
    """Whether this is a JSON file that begins like the JSON of Keras."""
    if not path.endswith(".json") or not os.path.isfile(path):
        return False
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return looks_like_keras(file.read(DETECTION_CHARACTERS))
    except OSError:
        return False
