import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from hail_mri.image.nifti import save_volume
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask
from hail_mri.report.registration_section import registration_section
from hail_mri.report.scan_record import ScanRecord
from hail_mri.report.scan_view import ScanView


@pytest.fixture
def view(make_head):
    """A head 20 mm to the right of where it is in the reference."""
    head = make_head(centre=(20, 0, 0))
    return ScanView(head, LinearScale(0.0, 700.0), None, head_mask(head), "head", "")


def record(tmp_path, make_head, matrix):
    save_volume(make_head(), tmp_path / "reference.nii.gz", overwrite=True)
    told = {"Registration": {"Reference": "reference", "ReferenceToScan": matrix, "RotationDegrees": 0.0}}
    return ScanRecord(told | {"Reference": "reference.nii.gz"}, tmp_path)


def pictures(section):
    """The pictures of a section by what they show."""
    found = re.findall(r'base64,([^"]+)"[^>]*alt="([^"]+)"', "".join(section.blocks))
    return {alt: np.asarray(Image.open(io.BytesIO(base64.b64decode(png)))) for png, alt in found}


def test_shows_the_source_on_the_grid_of_the_reference(tmp_path, make_head, view):
    matrix = np.eye(4)
    matrix[0, 3] = 20.0
    shown = pictures(registration_section(record(tmp_path, make_head, matrix.tolist()), view))
    assert len(shown) == 9
    reference, source = (shown[f"{name}, coronal"] > 20 for name in ("reference", "source"))
    assert np.count_nonzero(reference & source) > 0.95 * np.count_nonzero(reference | source)


def test_says_why_there_is_no_picture(tmp_path, make_head, view):
    section = registration_section(record(tmp_path, make_head, (2 * np.eye(4)).tolist()), view)
    assert "no rigid transform" in section.blocks[-1]
    told = record(tmp_path, make_head, np.eye(4).tolist())
    (tmp_path / "reference.nii.gz").unlink()
    section = registration_section(told, view)
    assert "is not there any more" in section.blocks[-1]
    assert pictures(section) == {}


def test_there_is_no_section_where_nothing_was_registered(tmp_path, view):
    assert registration_section(ScanRecord({}, tmp_path), view) is None


def test_a_volume_is_not_changed_by_being_shown(tmp_path, make_head, view):
    before = view.volume.data.copy()
    registration_section(record(tmp_path, make_head, np.eye(4).tolist()), view)
    assert isinstance(view.volume, Volume)
    assert np.array_equal(view.volume.data, before)
