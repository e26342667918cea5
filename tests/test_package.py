"""The names users import, and the rooms they come from."""

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


def run_python(code):
    """Standard output of a fresh interpreter: what is imported here must not count."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", hail_mri.__all__)
def test_every_public_name_is_the_same_thing_on_second_access(name):
    assert getattr(hail_mri, name) is getattr(hail_mri, name)
    assert name in dir(hail_mri)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'harmonise'"):
        _ = hail_mri.harmonise


@pytest.mark.parametrize(
    "first",
    [
        pytest.param("import hail_mri", id="nothing before"),
        pytest.param("import hail_mri; hail_mri.harmonize", id="after the first access"),
        pytest.param("from hail_mri.harmonize.harmonizer import Harmonizer", id="after an import from the room"),
        pytest.param("import hail_mri.harmonize.harmonizer", id="after an import of the room's module"),
        pytest.param(
            "import importlib; importlib.import_module('hail_mri.harmonize')", id="after an import of the room"
        ),
    ],
)
def test_harmonize_is_the_function_and_never_the_room(first):
    code = (
        f"{first}\nimport hail_mri\nfrom hail_mri import harmonize\nfrom types import FunctionType\n"
        "print(type(harmonize) is FunctionType and hail_mri.harmonize is harmonize and hail_mri.harmonize is harmonize)"
    )
    assert run_python(code) == "True"


def test_the_room_harmonize_and_its_modules_are_imported_from():
    code = "from hail_mri.harmonize import harmonizer\nfrom hail_mri import harmonize, Harmonizer\n"
    code += "print(harmonizer.harmonize is harmonize and harmonizer.Harmonizer is Harmonizer)"
    assert run_python(code) == "True"


def test_harmonize_goes_to_another_process():
    code = "import pickle, hail_mri\nprint(pickle.loads(pickle.dumps(hail_mri.harmonize)) is hail_mri.harmonize)"
    assert run_python(code) == "True"


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
