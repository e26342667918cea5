import tempfile
from pathlib import Path

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.evaluation.atropos import LABELS, segment_by_atropos
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.simulation.tissues import classes_of_tissues

pytest.importorskip("ants")


@pytest.fixture(scope="module")
def brain(visit):
    return visit.head.brain.numpy() > 0


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_the_tissues_of_a_simulated_head_are_found_and_nothing_is_left_behind(simulated_scan, brain, visit):
    before = set(Path(tempfile.gettempdir()).glob("*antsr*"))
    labels = segment_by_atropos(simulated_scan, brain)
    truth = classes_of_tissues()[visit.head.tissue_labels.long()].numpy()
    for tissue, least in (("grey_matter", 0.85), ("white_matter", 0.88)):
        assert dice(labels == LABELS[tissue], truth == TISSUE_CLASSES.index(tissue)) > least
    assert not labels[~brain].any()
    assert set(Path(tempfile.gettempdir()).glob("*antsr*")) == before
    np.testing.assert_array_equal(segment_by_atropos(simulated_scan, brain), labels)


def test_a_scan_in_another_unit_has_the_same_tissues(simulated_scan, brain):
    other = simulated_scan.with_data(7 * simulated_scan.data)
    both = [segment_by_atropos(scan, brain) for scan in (simulated_scan, other)]
    assert np.mean(both[0][brain] == both[1][brain]) > 0.99


def test_what_cannot_be_segmented_is_refused(simulated_scan, brain):
    with pytest.raises(InputError, match="shape"):
        segment_by_atropos(simulated_scan, brain[1:])
    with pytest.raises(InputError, match="voxels"):
        segment_by_atropos(simulated_scan, np.zeros_like(brain))
    with pytest.raises(InputError, match="constant"):
        segment_by_atropos(simulated_scan.with_data(np.ones(simulated_scan.shape)), brain)
