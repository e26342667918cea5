"""What the benchmarks take from the package is there: they are run by hand, and a name that has gone is found late."""

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


def imported(path):
    """Return (module, name) of all that a file takes from the package, also within functions."""
    nodes = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom))
    return [
        (node.module, alias.name) for node in nodes if str(node.module).startswith("hail_mri") for alias in node.names
    ]


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_is_there(path):
    gone = [
        f"{module}.{name}"
        for module, name in imported(path)
        if not hasattr(importlib.import_module(module), name) and find_spec(f"{module}.{name}") is None
    ]
    assert gone == []


def test_something_is_imported():
    assert sum(len(imported(path)) for path in BENCHMARKS) > 100
