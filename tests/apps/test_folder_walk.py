from pathlib import Path

import pytest

from hail_mri.apps.folder_walk import walk
from hail_mri.apps.scan_folder import find_scans


@pytest.fixture
def walked(tmp_path):
    """Return a function that gives the images below `in`, and the reasons by name of what is skipped."""

    def names(results: Path | None = None) -> tuple[list[str], dict[str, str]]:
        images, skipped = walk(tmp_path / "in", results)
        relative = sorted(path.relative_to(tmp_path / "in").as_posix() for path in images)
        return relative, {path.name: reason for path, reason in skipped}

    return names


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_links_to_folders_are_followed(tmp_path, walked):
    touch(tmp_path / "in/sub-01/sub-01_T1w.nii.gz")
    touch(tmp_path / "store/02/anat/sub-02_T1w.nii.gz")
    (tmp_path / "in/sub-02").symlink_to(tmp_path / "store/02")

    assert walked() == (["sub-01/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz"], {})
    assert len(find_scans(tmp_path / "in", tmp_path / "out").scans) == 2


def test_the_folder_itself_may_be_a_link(tmp_path, walked):
    touch(tmp_path / "store/a.nii")
    (tmp_path / "in").symlink_to(tmp_path / "store")

    assert walked() == (["a.nii"], {})


@pytest.mark.parametrize("place", ["in", "in/sub-01", "in/sub-01/anat"])
def test_a_link_that_leads_round_in_a_circle_is_skipped_and_named(tmp_path, walked, place):
    touch(tmp_path / "in/sub-01/anat/a.nii.gz")
    (tmp_path / "in/sub-01/anat/circle").symlink_to(tmp_path / place)

    images, skipped = walked()

    assert images == ["sub-01/anat/a.nii.gz"]
    assert skipped == {"circle": f"it is the folder {tmp_path / place}, which is taken already"}


def test_a_folder_is_taken_once_and_where_it_lies_rather_than_where_a_link_is(tmp_path, walked):
    touch(tmp_path / "in/sub-01/a.nii.gz")
    for name in ("first", "zuletzt"):
        (tmp_path / "in" / name).symlink_to("sub-01")

    images, skipped = walked()

    assert images == ["sub-01/a.nii.gz"]
    assert set(skipped) == {"first", "zuletzt"}


def test_of_two_links_one_into_what_the_other_holds_both_are_told_apart(tmp_path, walked):
    touch(tmp_path / "store/inner/a.nii.gz")
    touch(tmp_path / "store/b.nii.gz")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1").symlink_to(tmp_path / "store/inner")
    (tmp_path / "in/2").symlink_to(tmp_path / "store")

    images, skipped = walked()

    assert images == ["1/a.nii.gz", "2/b.nii.gz"]
    assert list(skipped) == ["inner"]


def test_links_to_results_and_to_nowhere_are_skipped_and_named(tmp_path, walked):
    touch(tmp_path / "in/a.nii.gz")
    touch(tmp_path / "in/out/a.nii.gz")
    (tmp_path / "in/results").symlink_to("out")
    (tmp_path / "in/sub-02").symlink_to(tmp_path / "gone")
    (tmp_path / "in/round").symlink_to("round")

    images, skipped = walked(tmp_path / "in/out")

    assert images == ["a.nii.gz"]
    nowhere = "it is a link that leads nowhere"
    assert skipped == {
        "results": "it leads to the folder of the results",
        "sub-02": nowhere,
        "round": nowhere,
    }
