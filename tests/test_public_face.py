"""What `dir` and `help` show of the package, and what importing it costs."""

from __future__ import annotations

import pydoc
import subprocess
import sys

import dense_calc


def test_dir_shows_the_public_functions_and_the_version() -> None:
    assert dir(dense_calc) == [
        *("DenseCalcError", "__version__", "check", "convert", "diff", "explain", "fit"),
        *("growth", "load", "summarize", "sweep", "trace"),
    ]


def test_help_lists_every_public_function_with_its_docstring() -> None:
    text = pydoc.plain(pydoc.render_doc(dense_calc))
    for name in {*dense_calc.__all__} - {"DenseCalcError"}:
        first_line = (getattr(dense_calc, name).__doc__ or "").partition("\n")[0]
        assert f"    {name}(" in text
        assert first_line
        assert f"        {first_line}" in text


def test_importing_the_package_imports_no_module_of_it_and_no_library() -> None:
    command = "import sys, dense_calc; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    imported = run.stdout.split()
    assert "dense_calc" in imported
    assert not {"click", "msgspec", "rich", "yaml", "importlib.metadata"} & {*imported}
    assert not [name for name in imported if name.startswith("dense_calc.")]
