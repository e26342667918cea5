import json
from pathlib import Path

import pytest

from hail_mri.errors import InputError
from hail_mri.provenance.sidecar import sidecar_path, write_json


@pytest.mark.parametrize(
    ("result", "sidecar"),
    [
        ("a.nii.gz", "a.json"),
        ("a.nii", "a.json"),
        ("out/sub-01.v2_T1w.nii.gz", "out/sub-01.v2_T1w.json"),
        ("A.NII.GZ", "A.json"),
    ],
)
def test_the_sidecar_has_the_name_of_the_result(result, sidecar):
    assert sidecar_path(Path(result)) == Path(sidecar)


@pytest.mark.parametrize("name", ["a.mgz", "a.json", "a", ".nii.gz", "nii"])
def test_other_names_are_no_names_of_results(name):
    with pytest.raises(InputError, match=r"expected one that ends in \.nii or \.nii\.gz"):
        sidecar_path(Path(name))


def test_what_is_written_is_read_back(tmp_path):
    content = {"Warnings": ["größer als 1 µm"], "Seconds": {"read": 0.5}}

    write_json(content, tmp_path / "a.json")

    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == content
