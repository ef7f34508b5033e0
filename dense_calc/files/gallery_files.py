"""The gallery: models to start from, which come with the package; `gallery:gpt2` is such a file."""

from __future__ import annotations

import os

from dense_calc.errors import FileError, did_you_mean

GALLERY_PREFIX = "gallery:"
_SUFFIX = ".yaml"


def gallery_names() -> list[str]:
    """The names of all models, in alphabetical order."""
    files = os.listdir(_gallery_folder())
    return sorted(file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX))


def find_gallery_file(name: str) -> str:
    """The path of the file with a model of the gallery.

    Raises:
        FileError: there is no such model.
    """
    names = gallery_names()
    if name not in names:
        hint = did_you_mean(name, names) or "; 'dense-calc gallery' lists its models"
        raise FileError(f"the gallery has no '{name}'{hint}")
    return os.path.join(_gallery_folder(), name + _SUFFIX)


def resolve_path(path: str) -> str:
    """The path of a file on the disk; that of `gallery:NAME` leads into the package.

    Raises:
        FileError: the gallery has no model of that name.
    """
    if not path.startswith(GALLERY_PREFIX):
        return path
    return find_gallery_file(path.removeprefix(GALLERY_PREFIX))


def describe_missing_file(name: str) -> str:
    """The hint for a file that does not exist: a model of the gallery, or a setting; else ''."""
    if "=" in name:
        return f"; write a setting as --set {name}"
    return f"; did you mean '{GALLERY_PREFIX}{name}'?" if name in gallery_names() else ""


def _gallery_folder() -> str:
    """The folder in an installed package; in a work tree it stands beside the package."""
    package = os.path.dirname(os.path.dirname(__file__))
    folder = os.path.join(package, "specs")
    return folder if os.path.isdir(folder) else os.path.join(os.path.dirname(package), "specs")
