import os
import socket

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.provenance.regular_file import size_of_file


def test_a_file_has_its_size_also_by_a_link_and_with_any_letters_in_its_name(tmp_path):
    path = tmp_path / "scän 1 (kopie) 脳.nii"
    path.write_bytes(b"1234")
    (tmp_path / "link").symlink_to(path)

    assert size_of_file(path) == size_of_file(tmp_path / "link") == 4


@pytest.mark.parametrize("name", ["nothing", "link", "file/below"])
def test_what_is_not_there_is_missing(tmp_path, name):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()

    with pytest.raises(MissingFileError, match=f"{name} does not exist"):
        size_of_file(tmp_path / name)


def folder(path):
    path.mkdir()


def device(path):
    path.symlink_to("/dev/zero")


def listening(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


@pytest.mark.parametrize(
    ("make", "kind"), [(folder, "a folder"), (os.mkfifo, "a pipe"), (device, "a device"), (listening, "a socket")]
)
def test_what_may_never_end_is_not_waited_for(tmp_path, monkeypatch, make, kind):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    make(tmp_path / "it")

    with pytest.raises(InputError, match=f"it is {kind}, expected a scan"):
        size_of_file(tmp_path / "it", expected="a scan")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"], ids=["too long", "NUL"])
def test_a_name_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read"):
        size_of_file(tmp_path / name)
