"""Both stores of a run are filled in time, and what is said about it."""

import shutil

import pytest

from hail_mri.errors import InputError
from hail_mri.training.data.heads import head_path
from hail_mri.training.data.stores import fill_stores
from hail_mri.training.running.budget import Budget
from hail_mri.training.settings import ScanSection

DATA = ScanSection(
    spacing_mm=30.0,
    shape=(8, 8, 8),
    n_heads=3,
    n_validation_heads=1,
    n_validation_scans=1,
    patch=8,
    n_workers=0,
    seed=1,
)


def fill(heads_dir, label_maps_dir, *, data=DATA, budget=None):
    """Fill the stores from the first two label maps and the third; return what is said."""
    paths, lines = sorted(label_maps_dir.iterdir()), []
    budget = budget or Budget(1)
    fill_stores(heads_dir, data, budget, train=paths[:2], validation=paths[2:3], say=lines.append)
    return lines


@pytest.fixture(scope="module")
def filled_dir(label_maps_dir, tmp_path_factory):
    heads_dir = tmp_path_factory.mktemp("heads")
    fill(heads_dir, label_maps_dir)
    return heads_dir


@pytest.fixture
def heads_dir(filled_dir, tmp_path):
    return shutil.copytree(filled_dir, tmp_path / "heads")


def test_it_is_said_how_many_heads_are_there_and_how_many_are_to_be_placed(heads_dir, label_maps_dir):
    head_path(heads_dir / "train", 1).unlink()
    assert fill(heads_dir, label_maps_dir) == [
        "heads for train: 2 of 3 are there, 1 are to be placed",
        "heads for validation: 1 of 1 are there, 0 are to be placed",
        "heads for train: all 3 are placed",
    ]


def test_placing_heads_ends_in_time_and_what_is_placed_is_kept(heads_dir, label_maps_dir):
    for index in (0, 1):
        head_path(heads_dir / "train", index).unlink()
    with pytest.raises(InputError, match="minutes are over and 2 of 3 heads for train are placed"):
        fill(heads_dir, label_maps_dir, budget=Budget(1, minutes=1e-6))
    assert head_path(heads_dir / "train", 0).exists()


def test_a_wrong_store_for_validation_is_refused_before_any_head_is_placed(heads_dir, label_maps_dir):
    shutil.rmtree(heads_dir / "train")
    with pytest.raises(InputError, match="validation holds heads of seed 2"):
        fill(heads_dir, label_maps_dir, data=DATA.model_copy(update={"seed": 5}))
    assert not list((heads_dir / "train").glob("head_*"))
