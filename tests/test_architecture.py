"""The house keeps its shape: imports point one way, tables are in order, rooms stay small."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT
from msgspec.structs import fields

from dense_calc.layers import (
    KIND_ALIASES,
    KIND_MODULES,
    OPERATION_PREFIX,
    UNEXPORTED_KIND_MODULES,
    find_kind,
)
from dense_calc.layers.base import LayerKind
from dense_calc.layers.operations import OPERATION_MODULES

PACKAGE = ROOT / "dense_calc"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 300
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_TEST_LINES = 400

# A room may import itself and those that stand after it in one of these ways, nothing above it.
FLOW = (
    "cli", "api", "schema", "whatif", "files", "settings", "analysis", "keras_format",
    "spec_language", "tracing", "quantities", "report", "model", "call_inputs", "limits", "layers",
    "dtypes", "shapes", "gaps", "mistakes", "symbolic", "result", "errors",
)  # fmt: skip
SIDE = (
    "cli", "render", "whatif", "settings", "analysis", "quantities", "report", "limits", "layers",
    "dtypes", "shapes", "symbolic", "result", "errors",
)  # fmt: skip


def room(module: str) -> str:
    """The room that a module stands in: the first name below the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(path: Path) -> set[str]:
    """The rooms that a module imports, also where it does so late."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dense_calc."):
            found.add(room(node.module or ""))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own in ("__init__", "__main__"):
        return
    below = {other for way in (FLOW, SIDE) if own in way for other in way[way.index(own) :]}
    assert imports(path) <= below


def module_name(path: Path) -> str:
    """The name by which a file of the package is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(path: Path) -> set[str]:
    """The modules of the package that a file imports, also where it does so late or for types."""
    names = {module_name(each) for each in MODULES}
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {
                full if (full := f"{node.module}.{each.name}") in names else str(node.module)
                for each in node.names
            }
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return found & names


def reachable_modules(start: str, imported: Mapping[str, set[str]]) -> set[str]:
    """The modules that a module imports itself or through others."""
    found: set[str] = set()
    pending = [start]
    while pending:
        new = imported[pending.pop()] - found
        found |= new
        pending += new
    return found


def test_no_modules_import_each_other() -> None:
    imported = {module_name(path): imported_modules(path) for path in MODULES}
    reachable = {name: reachable_modules(name, imported) for name in imported}
    circles = {
        frozenset(other for other in found if name in reachable[other])
        for name, found in reachable.items()
    }
    assert not [sorted(circle) for circle in circles if circle]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_what_it_is_for_and_stays_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= MAX_LINES


def test_no_two_modules_have_one_name() -> None:
    """A family of operations may have the name of a family of layers, as in Keras."""
    stems = Counter(path.stem for path in MODULES if path.stem != "__init__")
    layers = {path.stem for path in (PACKAGE / "layers").glob("*.py")}
    operations = {path.stem for path in (PACKAGE / "layers" / "operations").glob("*.py")}
    assert {stem for stem, count in stems.items() if count > 1} <= layers & operations


def test_a_name_is_defined_in_three_modules_at_most() -> None:
    modules = defaultdict(set)
    for path in MODULES:
        for node in ast.parse(path.read_text("utf-8")).body:
            for name in defined_names(node):
                modules[name].add(path.stem)
    assert {name: found for name, found in modules.items() if len(found) > 3} == {}


def defined_names(node: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module defines."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def test_a_file_of_tests_says_what_it_tests_and_stays_small() -> None:
    for path in TESTS:
        text = path.read_text("utf-8")
        assert ast.get_docstring(ast.parse(text)), path
        assert text.count("\n") <= MAX_TEST_LINES, path


def test_the_table_of_kinds_is_alphabetical_and_its_aliases_lead_to_it() -> None:
    assert all(one < other for one, other in pairwise(KIND_MODULES))
    assert all(one < other for one, other in pairwise(KIND_ALIASES))
    assert set(KIND_ALIASES.values()) <= set(KIND_MODULES)
    assert not set(KIND_ALIASES) & set(KIND_MODULES)


@pytest.mark.parametrize(
    "name",
    [
        *KIND_MODULES,
        *UNEXPORTED_KIND_MODULES,
        *(OPERATION_PREFIX + name for name in OPERATION_MODULES),
    ],
)
def test_no_argument_hides_what_every_kind_has(name: str) -> None:
    common = {each for each in vars(LayerKind) if not each.startswith("_")}
    own = {field.name for field in fields(find_kind(name))}
    assert own & common <= {"name", "trainable", "dtype"}


@pytest.mark.parametrize("name", KIND_MODULES)
def test_a_kind_is_its_fields_and_two_methods(name: str) -> None:
    kind = find_kind(name)
    assert issubclass(kind, LayerKind)
    assert kind.__name__ == name
    assert kind.__doc__
    assert all(field.name.isidentifier() for field in fields(kind))


def test_nothing_outside_the_layers_knows_a_kind_by_name() -> None:
    """Old files name layers by other words: what they are called today is in `legacy`."""
    known = set()
    for path in MODULES:
        if not {"layers", "legacy", "tensorflow"} & set(path.parts):
            known |= {(path.name, name) for name in words(path) & {*KIND_MODULES, *KIND_ALIASES}}
    assert known == {("entries.py", "InputLayer")}  # the spec writes it as `input:`


def words(path: Path) -> set[str]:
    """The names that a module uses or imports, and the texts that it compares or looks up."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Name(id=name) | ast.alias(name=name):
                found.add(name)
            case ast.Attribute(value=owner, attr=name) if ast.unparse(owner) != "ast":
                found.add(name)
            case ast.Constant(value=str() as text):
                found.add(text)
    return found
