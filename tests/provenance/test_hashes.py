import hashlib

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.provenance.hashes import InputFile, file_sha256


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    content = bytes(range(256)) * 20_000
    (tmp_path / "a").write_bytes(content)

    assert file_sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_an_input_that_is_missing_or_a_folder_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="missing does not exist"):
        InputFile.read(tmp_path / "missing")
    with pytest.raises(InputError, match="is a folder"):
        InputFile.read(tmp_path)
