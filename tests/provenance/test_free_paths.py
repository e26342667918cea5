import pytest

from hail_mri.errors import OutputExistsError
from hail_mri.provenance.free_paths import require_folder_free


def test_a_folder_with_something_in_it_is_filled_only_if_asked(tmp_path):
    require_folder_free(tmp_path / "new", overwrite=False)
    require_folder_free(tmp_path, overwrite=False)
    (tmp_path / "a").touch()

    with pytest.raises(OutputExistsError, match="is not empty"):
        require_folder_free(tmp_path, overwrite=False)
    require_folder_free(tmp_path, overwrite=True)
