from pathlib import Path

import pytest

from hail_mri.apps.requests import requests_of_batch
from hail_mri.apps.scan_folder import find_scans
from hail_mri.errors import InputError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(folder: Path, output_dir: Path | None = None) -> list[str]:
    scans = find_scans(folder, folder / "out" if output_dir is None else output_dir).scans
    return [scan.relative_to(folder).as_posix() for scan in scans]


def test_a_folder_gives_its_scans_in_order_and_keeps_their_places(tmp_path):
    touch(tmp_path / "in", "sub-02/b.nii", "sub-01/a.nii.gz", "c.mgz", "notes.txt", "D.NII.GZ")

    requests = requests_of_batch(tmp_path / "in", tmp_path / "out", None).requests

    outputs = [request.output.relative_to(tmp_path / "out").as_posix() for request in requests]
    assert outputs == ["D.nii.gz", "c.nii.gz", "sub-01/a.nii.gz", "sub-02/b.nii.gz"]
    assert requests[2].source == tmp_path / "in/sub-01/a.nii.gz"


def test_hidden_files_and_earlier_results_are_not_scans_of_a_folder(tmp_path):
    touch(tmp_path, "a.nii.gz", "._a.nii.gz", ".git/b.nii", "results/a.nii.gz")

    assert found(tmp_path, tmp_path / "results") == ["a.nii.gz"]


def test_where_names_are_those_of_bids_only_t1_weighted_scans_are_taken(tmp_path):
    touch(
        tmp_path,
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_T2w.nii.gz",
        "sub-01/anat/sub-01_inplaneT2.nii.gz",
        "sub-01/func/sub-01_task-rest_bold.nii.gz",
        "derivatives/x/sub-01_T1w.nii.gz",
    )

    assert found(tmp_path) == ["sub-01/anat/sub-01_T1w.nii.gz"]
    reasons = {path.name: reason for path, reason in find_scans(tmp_path, tmp_path / "out").skipped}
    assert reasons["sub-01_T2w.nii.gz"] == "its name ends in t2w"
    assert reasons["sub-01_inplaneT2.nii.gz"] == "its name does not end in T1w, as those of others do"
    assert reasons["sub-01_T1w.nii.gz"] == "it lies in derivatives"


def test_results_above_the_scans_leave_nothing_out(tmp_path):
    touch(tmp_path, "in/a.nii.gz")

    assert found(tmp_path / "in", tmp_path) == ["a.nii.gz"]


@pytest.mark.parametrize("name", ["a_mask.nii.gz", "a-mask.nii", "T1_brainmask.nii.gz", "x_FLAIR.nii", "a.seg.nii.gz"])
def test_masks_and_other_contrasts_are_no_scans_where_names_are_free(tmp_path, name):
    touch(tmp_path, "mprage.nii.gz", "t1.nii", name)

    assert found(tmp_path) == ["mprage.nii.gz", "t1.nii"]


def test_a_folder_without_scans_is_refused(tmp_path):
    touch(tmp_path, "notes.txt")

    with pytest.raises(InputError, match="has no scans"):
        find_scans(tmp_path, tmp_path / "out")


def test_a_folder_of_masks_alone_is_refused(tmp_path):
    touch(tmp_path, "a_mask.nii.gz")

    with pytest.raises(InputError, match="1 images, but none"):
        find_scans(tmp_path, tmp_path / "out")


def test_a_folder_of_lost_links_is_refused_with_one_of_them(tmp_path):
    (tmp_path / "sub-01").symlink_to(tmp_path / "gone")

    with pytest.raises(InputError, match="has no scans") as caught:
        find_scans(tmp_path, tmp_path / "out")

    assert caught.value.hint == f"{tmp_path / 'sub-01'}: it is a link that leads nowhere"
