"""Whether a result that is there is what a run would make."""

import json

import numpy as np
import pytest

from hail_mri.apps.earlier import differences, earlier_report
from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan import harmonize_scan
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import save_volume
from hail_mri.provenance.sidecar import read_sidecar, sidecar_path


@pytest.fixture
def request_with_lesion(tmp_path, make_head):
    """Return the request for a head with a lesion mask."""
    head = make_head(shape=(18, 22, 23), spacing=10.0)
    lesion = np.zeros(head.data.shape)
    lesion[11:13, 9:11, 13:15] = 1.0
    save_volume(head, tmp_path / "head.nii.gz")
    save_volume(head.with_data(lesion), tmp_path / "lesion.nii.gz")
    return ScanRequest(tmp_path / "head.nii.gz", tmp_path / "result.nii.gz", None, tmp_path / "lesion.nii.gz")


def test_a_result_whose_bias_field_has_seen_the_lesion_is_another(request_with_lesion, weights):
    request, target = request_with_lesion, TargetFiles(request_with_lesion.source, is_style_card=False)
    settings = HarmonizeSettings(model=str(weights), preset="robust", threads=1, force=True)
    harmonize_scan(request, target, settings, overwrite=False)
    told = read_sidecar(request.output)
    assert differences(told, request, settings, target) == []
    assert earlier_report(request, settings, target) is not None

    del told["BiasField"]["LeftOut"]  # as of versions before N4 left lesions out
    sidecar_path(request.output).write_text(json.dumps(told))

    (words,) = differences(told, request, settings, target)
    assert words == "its bias field was estimated with the lesion, and is without it now"
    assert earlier_report(request, settings, target) is None
