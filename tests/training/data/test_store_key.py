"""A store of heads knows what its heads were made from."""

import shutil

import pytest

from hail_mri.errors import InputError
from hail_mri.training.data.heads import fill_store, head_path
from hail_mri.training.data.store_key import FILE_NAME

SETTINGS = {"n_heads": 2, "shape": (8, 8, 8), "spacing": 30.0, "seed": 2}


@pytest.fixture(scope="module")
def filled_dir(label_maps_dir, tmp_path_factory):
    """A store that holds all its heads."""
    store_dir = tmp_path_factory.mktemp("filled")
    list(fill_store(store_dir, sorted(label_maps_dir.iterdir())[:2], **SETTINGS))
    return store_dir


@pytest.fixture
def store_dir(filled_dir, tmp_path):
    """The same, for a test to change."""
    return shutil.copytree(filled_dir, tmp_path / "heads")


@pytest.fixture
def paths(label_maps_dir, tmp_path):
    """The two label maps it was made from, for a test to change."""
    return sorted(shutil.copytree(label_maps_dir, tmp_path / "anatomies").iterdir())[:2]


def test_a_store_that_is_full_is_left_as_it_is(store_dir, paths):
    before = {path.name: path.stat().st_mtime_ns for path in store_dir.iterdir()}
    assert list(fill_store(store_dir, paths, **SETTINGS)) == []
    assert {path.name: path.stat().st_mtime_ns for path in store_dir.iterdir()} == before


def test_a_store_grows_when_more_heads_are_wanted(store_dir, paths):
    assert list(fill_store(store_dir, paths, **SETTINGS | {"n_heads": 3})) == [3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"seed": 3}, r"seed 2 \(expected 3\)", id="seed"),
        pytest.param({"spacing": 20.0}, r"spacing_mm 30.0 \(expected 20.0\)", id="spacing"),
        pytest.param({"shape": (8, 8, 16)}, r"shape \[8, 8, 8\] \(expected \[8, 8, 16\]\)", id="shape"),
    ],
)
def test_heads_of_other_settings_are_refused_by_what_differs(store_dir, paths, change, message):
    with pytest.raises(InputError, match=message) as caught:
        list(fill_store(store_dir, paths, **SETTINGS | change))
    assert "delete that folder" in caught.value.hint


def test_heads_of_a_label_map_that_has_changed_since_are_refused_by_its_name(store_dir, paths):
    shutil.copy(paths[0], paths[1])
    with pytest.raises(InputError, match=rf"heads of other label maps \({paths[1].name}\)$"):
        list(fill_store(store_dir, paths, **SETTINGS))


def test_heads_of_more_label_maps_are_refused(store_dir, paths):
    with pytest.raises(InputError, match=rf"other label maps \({paths[1].name}\)"):
        list(fill_store(store_dir, paths[:1], **SETTINGS))


def test_heads_that_were_copied_without_what_they_were_made_from_are_refused(store_dir, paths, tmp_path):
    (tmp_path / "copied").mkdir()
    shutil.copy(head_path(store_dir, 1), tmp_path / "copied")
    with pytest.raises(InputError, match="holds heads, but no store"):
        list(fill_store(tmp_path / "copied", paths, **SETTINGS))


@pytest.mark.parametrize("text", ["[1", "[1]", '{"label_maps": 1}', "{}"])
def test_a_key_that_cannot_be_read_is_refused(store_dir, paths, text):
    (store_dir / FILE_NAME).write_text(text)
    with pytest.raises(InputError, match="does not say what the heads beside it were made from"):
        list(fill_store(store_dir, paths, **SETTINGS))
