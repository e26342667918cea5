import os

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.report.study.places import file_inside, place_inside, scan_file


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret.nii").write_bytes(b"secret")
    out = tmp_path / "out"
    (out / "site").mkdir(parents=True)
    (out / "site/a.nii").write_bytes(b"scan")
    (out / "link.nii").symlink_to(tmp_path / "secret.nii")
    (out / "up").symlink_to(tmp_path, target_is_directory=True)
    return out


def test_a_path_in_the_folder_is_where_it_says(folder):
    assert file_inside(folder, "site/a.nii", suffixes=(".nii",)) == folder / "site/a.nii"
    assert file_inside(folder, "site/../site/a.nii", suffixes=(".nii",)).read_bytes() == b"scan"


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("../secret.nii", id="dots"),
        pytest.param("site/../../secret.nii", id="dots inside"),
        pytest.param("link.nii", id="link to a file"),
        pytest.param("up/secret.nii", id="link to a folder"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param(".", id="the folder itself"),
    ],
)
def test_a_path_that_leads_out_of_the_folder_is_refused(folder, cell):
    with pytest.raises(InputError, match="leads out of the folder"):
        place_inside(folder, cell)


def test_an_absolute_path_is_refused_even_to_the_folder(folder):
    with pytest.raises(InputError, match="leads out of the folder"):
        place_inside(folder, str(folder / "site/a.nii"))


def test_a_link_that_leads_to_itself_is_no_file(folder):
    (folder / "loop.nii").symlink_to("loop.nii")

    with pytest.raises((InputError, MissingFileError)):
        file_inside(folder, "loop.nii", suffixes=(".nii",))


@pytest.mark.parametrize("cell", ["", "a\0.nii"])
def test_what_is_no_path_is_refused(folder, cell):
    with pytest.raises(InputError, match="path"):
        place_inside(folder, cell)


def test_a_scan_may_lie_elsewhere_but_must_be_a_regular_file_with_the_name_of_a_scan(folder, tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")
    (tmp_path / "passwd").write_text("root")

    assert scan_file(folder, "../secret.nii").samefile(tmp_path / "secret.nii")
    with pytest.raises(InputError, match="is a pipe"):
        scan_file(folder, "../pipe.nii")
    with pytest.raises(InputError, match="called otherwise"):
        scan_file(folder, "../passwd")
    with pytest.raises(MissingFileError):
        scan_file(folder, "../nothing.nii")
