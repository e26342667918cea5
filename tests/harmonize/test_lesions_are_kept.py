"""What the released weights make of lesions."""

import numpy as np
import pytest
import torch

from hail_mri.evaluation.lesions import lesion_change
from hail_mri.evaluation.structure_searches import appeared_structures, lost_structures
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.simulation.lesions.known import known_lesions
from hail_mri.simulation.lesions.masses import with_mass
from hail_mri.simulation.lesions.white_matter import with_sclerosis
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_subject, scan_visit, visit_site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def case(mni):
    """A patient with a mass and sclerosis at site B, and what becomes of the scan in the look of site A."""
    generator = torch.Generator().manual_seed(5)
    patient = with_sclerosis(with_mass(new_subject(mni, 11), generator, enhancing=True), generator)
    visit = visit_site(patient, SITES["B"], spacing=2.0, seed=12)
    source = scan_visit(visit)
    target = scan_subject(new_subject(mni, 13), SITES["A"], spacing=2.0, seed=14)
    return visit, source.data, Harmonizer(target).run(source).volume.data


def test_no_lesion_is_turned_over_or_changes_its_volume_much(case):
    visit, source, result = case
    known, white = known_lesions(visit), visit.head.white_matter.numpy()
    changes = []
    for number, kind in enumerate(known.kinds, start=1):
        lesion = known.mask(number)
        if lesion.sum() < 8 or kind == "mass oedema":
            continue
        around = known.mask(number - 1) if kind == "mass core" else white
        change = lesion_change(source, result, lesion=lesion, brain=around | lesion, spacing=(2, 2, 2))
        assert not change.is_reversed, kind
        assert change.shift.value < 1, kind
        changes.append(abs(change.volume.value - 100))
    assert len(changes) >= 4
    assert np.median(changes) < 5


def test_a_rim_that_took_up_contrast_agent_stays_as_bright_beside_white_matter(mni):
    """Where fat is to become darker, as from A to C, so did what a map takes for fat."""
    patient = with_mass(new_subject(mni, 11), torch.Generator().manual_seed(5), enhancing=True)
    visit = visit_site(patient, SITES["A"], spacing=2.0, seed=12)
    source = scan_visit(visit)
    target = scan_subject(new_subject(mni, 13), SITES["C"], spacing=2.0, seed=14)
    result = Harmonizer(target).run(source).volume.data
    known, white = known_lesions(visit), visit.head.white_matter.numpy()
    (rim,) = (known.mask(number) for number, kind in enumerate(known.kinds, start=1) if kind == "mass rim")
    before, after = (scan[rim].mean() / scan[white].mean() for scan in (source.data, result))
    assert before > 1.2
    assert after == pytest.approx(before, rel=0.05)


def test_nothing_is_lost_or_appears_at_a_lesion(case):
    visit, source, result = case
    lesions = known_lesions(visit).labels > 0
    for search in (lost_structures, appeared_structures):
        found = search(source, result, mask=visit.head.brain.numpy(), spacing=(2, 2, 2))
        assert found.within(lesions).volume_ml < 0.1
        assert found.volume_ml < 3
