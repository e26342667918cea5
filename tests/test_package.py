"""The names users import, and the rooms they come from."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hail_mri

SOURCE_DIR = Path(hail_mri.__file__).parent
# For fresh interpreters, which do not know what pytest put on the path.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE_DIR.parent)}
ROOMS = [path for path in SOURCE_DIR.iterdir() if path.is_dir() and any(path.glob("*.py"))]


def run_python(code, *arguments):
    """Standard output of a fresh interpreter: what is imported here must not count."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", hail_mri.__all__)
def test_every_public_name_is_the_same_thing_on_second_access(name):
    assert getattr(hail_mri, name) is getattr(hail_mri, name)
    assert name in dir(hail_mri)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'harmonise'"):
        _ = hail_mri.harmonise


# What is imported first, and what must be true then.
IS_FUNCTION = """
import hail_mri
from hail_mri import harmonize
from types import FunctionType
true = type(harmonize) is FunctionType and hail_mri.harmonize is harmonize and hail_mri.harmonize is harmonize
"""
IMPORTS = {
    "nothing before": IS_FUNCTION,
    "after the first access": f"import hail_mri; hail_mri.harmonize\n{IS_FUNCTION}",
    "after an import from the room": f"from hail_mri.harmonize.harmonizer import Harmonizer\n{IS_FUNCTION}",
    "after an import of the room's module": f"import hail_mri.harmonize.harmonizer\n{IS_FUNCTION}",
    "after an import of the room": f"import importlib; importlib.import_module('hail_mri.harmonize')\n{IS_FUNCTION}",
    "the room and its modules are imported from": """
from hail_mri.harmonize import harmonizer
from hail_mri import harmonize, Harmonizer
true = harmonizer.harmonize is harmonize and harmonizer.Harmonizer is Harmonizer
""",
    "the function goes to another process": """
import pickle, hail_mri
true = pickle.loads(pickle.dumps(hail_mri.harmonize)) is hail_mri.harmonize
""",
}
# Torch is slow to import: one interpreter, which forgets the package, and nothing else, before each.
IN_TURN = """
import json, sys
results = {}
for name, code in json.loads(sys.argv[1]).items():
    for module in [module for module in sys.modules if module.partition(".")[0] == "hail_mri"]:
        del sys.modules[module]
    scope = {}
    exec(code, scope)
    results[name] = scope["true"]
print(json.dumps(results))
"""


def test_harmonize_is_the_function_and_never_the_room_whatever_is_imported_first():
    assert json.loads(run_python(IN_TURN, json.dumps(IMPORTS))) == dict.fromkeys(IMPORTS, True)


def test_importing_the_package_imports_nothing_heavy():
    heavy = run_python(
        "import sys, hail_mri\n"
        "print(sorted({'numpy', 'nibabel', 'torch', 'monai', 'lightning', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    assert heavy == "[]"


def test_the_image_room_imports_neither_torch_nor_scipy():
    # nibabel itself looks whether there is a scipy, which is cheap; its modules are not.
    modules = "{'torch', 'monai', 'scipy.ndimage', 'scipy.sparse', 'SimpleITK'}"
    heavy = run_python(f"import sys, hail_mri.image\nprint(sorted({modules} & set(sys.modules)))")
    assert heavy == "[]"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_room_is_a_package(room):
    assert (room / "__init__.py").is_file()


def test_imports_between_rooms_go_one_way():
    root_dir = SOURCE_DIR.parent.parent
    if not (root_dir / "pyproject.toml").is_file():
        pytest.skip("not run from a checkout")
    command = [Path(sys.executable).with_name("lint-imports")]
    done = subprocess.run(command, cwd=root_dir, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
