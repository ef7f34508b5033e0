"""Which files the arguments of a command mean: files, patterns, and folders of models."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from glob import glob, has_magic

from dense_calc.errors import FileError
from dense_calc.keras_format.signs import BEGINNING, foreign_names, looks_like_keras

SPECS = (".yaml", ".yml", ".keras")  # how models in a folder end, beside JSON that Keras wrote

OF_A_FOLDER = "a folder stands for the .yaml, .yml and .keras files and Keras' JSON in it"


def each_file(arguments: Iterable[str]) -> Iterator[tuple[str, FileError | None]]:
    """The files that arguments mean, each once; or an argument that means none, and why."""
    seen = set()
    for argument in arguments:
        try:
            files = files_of(argument)
        except FileError as error:
            yield argument, error
            continue
        for file in files:
            if os.path.normpath(file) not in seen:
                seen.add(os.path.normpath(file))
                yield file, None


def files_of(argument: str) -> list[str]:
    """The files that one argument means: a file, what fits a pattern, the models in a folder.

    Raises:
        FileError: there are none.
    """
    if os.path.isdir(argument):
        found = models_below(argument)
        if not found:
            told = foreign_names(os.listdir(argument)) or OF_A_FOLDER
            raise FileError(f"there is no model in '{argument}'; {told}")
        return found
    if os.path.exists(argument) or not has_magic(argument):
        return [argument]  # one that is not there is for the reader to say
    matched = sorted(glob(argument, recursive=True))
    files = [each for each in matched if os.path.isfile(each)]  # no pipe that may never end
    files += [file for each in matched if os.path.isdir(each) for file in models_below(each)]
    if not files:
        raise FileError(f"no file matches '{argument}'")
    return files


def models_below(folder: str) -> list[str]:
    """The models in a folder and in those below it, hidden ones left out."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(place, name)
            if not name.startswith(".") and os.path.isfile(path) and is_model(path):
                found.append(path)
    return sorted(found)


def is_model(path: str) -> bool:
    """Whether a file looks like a model: by its ending, or as JSON that begins as Keras' does."""
    return path.endswith(SPECS) or is_keras_json(path)


def is_keras_json(path: str) -> bool:
    """Whether this is JSON that begins as Keras begins it."""
    if not path.endswith(".json"):
        return False
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return looks_like_keras(file.read(BEGINNING))
    except OSError:
        return False
