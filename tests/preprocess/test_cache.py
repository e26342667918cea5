import numpy as np
import pytest

from hail_mri.preprocess.cache import FOLDER_VARIABLE, NO_CACHE, EstimateCache, cache_key, default_cache

EXPECTED = {"numbers": (3,)}


def numbers(*values):
    return lambda: {"numbers": np.array(values, np.float64)}


def never():
    pytest.fail("estimated again")


def test_what_was_estimated_is_not_estimated_again(tmp_path):
    EstimateCache(tmp_path).get("a", EXPECTED, numbers(1, 2, 3))
    assert EstimateCache(tmp_path).get("a", EXPECTED, never)["numbers"].tolist() == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_another_key_is_another_entry(tmp_path):
    cache = EstimateCache(tmp_path)
    cache.get("a", EXPECTED, numbers(1, 2, 3))
    assert cache.get("b", EXPECTED, numbers(4, 5, 6))["numbers"].tolist() == [4, 5, 6]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100], ids=["empty", "text", "bytes"])
def test_a_file_that_is_no_entry_is_replaced(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    cache = EstimateCache(tmp_path)
    assert cache.get("a", EXPECTED, numbers(1, 2, 3))["numbers"].tolist() == [1, 2, 3]
    assert cache.get("a", EXPECTED, never)["numbers"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("values", [(1, 2), (1, 2, np.nan)], ids=["another shape", "not a number"])
def test_an_entry_of_something_else_is_estimated_again(tmp_path, values):
    cache = EstimateCache(tmp_path)
    cache.get("a", EXPECTED, numbers(*values))
    assert cache.get("a", EXPECTED, numbers(1, 2, 3))["numbers"].tolist() == [1, 2, 3]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "file").touch()
    cache = EstimateCache(tmp_path / "file" / "folder")
    assert cache.get("a", EXPECTED, numbers(1, 2, 3))["numbers"].tolist() == [1, 2, 3]
    assert NO_CACHE.get("a", EXPECTED, numbers(1, 2, 3))["numbers"].tolist() == [1, 2, 3]


def test_the_folder_is_the_one_that_is_named_or_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert default_cache().folder == tmp_path
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    assert default_cache().folder is None
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_cache().folder == tmp_path / "cache" / "hail-mri"


def test_a_key_depends_on_everything(scan):
    plain = cache_key("field", scan, scan.data > 300, {"spacing": 6.0})
    moved = type(scan)(scan.data, np.diag([2.0, 2.0, 2.0, 1.0]))
    others = [
        cache_key("other", scan, scan.data > 300, {"spacing": 6.0}),
        cache_key("field", scan.with_data(scan.data + 1), scan.data > 300, {"spacing": 6.0}),
        cache_key("field", moved, scan.data > 300, {"spacing": 6.0}),
        cache_key("field", scan, scan.data > 301, {"spacing": 6.0}),
        cache_key("field", scan, None, {"spacing": 6.0}),
        cache_key("field", scan, scan.data > 300, {"spacing": 5.0}),
    ]
    assert plain == cache_key("field", scan, scan.data > 300, {"spacing": 6.0})
    assert len({plain, *others}) == 7
