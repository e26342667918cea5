"""Lesions of all kinds in the built-in head, as scans show them."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.simulation.lesions.anatomy import read_anatomy
from hail_mri.simulation.lesions.known import known_lesions
from hail_mri.simulation.lesions.masses import RADIUS, with_mass
from hail_mri.simulation.lesions.pathologies import FIRST_PATHOLOGY, PATHOLOGY_INDEX
from hail_mri.simulation.lesions.white_matter import with_hyperintensities, with_sclerosis
from hail_mri.simulation.phantoms import centred_affine, no_transform, place
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.tissues import INDEX_OF
from hail_mri.simulation.travelling import rescan_at, truth_at, visit_site

KINDS = {"mass": with_mass, "sclerosis": with_sclerosis, "hyperintensities": with_hyperintensities}


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def healthy(mni):
    return new_subject(mni, 1)


@pytest.fixture(scope="module")
def patients(healthy):
    return {kind: draw(healthy, generator()) for kind, draw in KINDS.items()}


@pytest.fixture(scope="module")
def visits(patients):
    return {kind: visit_site(patient, SITES["B"], spacing=2.0, seed=2) for kind, patient in patients.items()}


@pytest.fixture(scope="module")
def white_matter(healthy):
    return read_anatomy(healthy)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_makes_the_same_lesions(healthy, patients, kind):
    again = KINDS[kind](healthy, generator())
    points = again.lesions[0].centre.reshape(1, 1, 3) + torch.randn(200, 1, 3, generator=generator()) * 8
    assert torch.equal(again.at(points)[0], patients[kind].at(points)[0])
    other = KINDS[kind](healthy, generator(2))
    assert not torch.equal(other.lesions[0].centre, again.lesions[0].centre)


@pytest.mark.parametrize("kind", KINDS)
def test_putting_lesions_leaves_the_healthy_subject_as_it_was(healthy, kind):
    KINDS[kind](healthy, generator())
    assert (healthy.lesions, healthy.mass_effects) == ((), ())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_is_what_the_phantom_holds(visits, kind):
    visit, known = visits[kind], known_lesions(visits[kind])
    diseased = visit.head.on_grid((visit.head.tissue >= FIRST_PATHOLOGY).float().mean(dim=1)).numpy()
    assert sum(known.volumes) == pytest.approx(diseased.sum() * 0.008, rel=1e-5)
    assert (diseased[known.labels > 0] > 0.5).all()
    assert known.kinds == tuple(lesion.kind for lesion in visit.subject.lesions)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lesion_travels_with_its_subject(patients, visits, kind):
    elsewhere = known_lesions(visit_site(patients[kind], SITES["C"], spacing=2.0, seed=9))
    here = known_lesions(visits[kind])
    assert elsewhere.kinds == here.kinds
    assert elsewhere.volumes == pytest.approx(here.volumes, rel=0.25, abs=0.01)
    assert not np.array_equal(elsewhere.labels, here.labels)


def test_a_mass_has_oedema_around_a_rim_around_a_core(visits):
    known = known_lesions(visits["mass"])
    assert known.kinds == ("mass oedema", "mass rim", "mass core")
    core, rim = known.mask(3), known.mask(2)
    shell = ndimage.binary_dilation(core) & ~core
    assert rim[shell].mean() > 0.9
    middles = [np.argwhere(known.mask(n)).mean(axis=0) for n in (2, 3)]
    assert np.linalg.norm(middles[0] - middles[1]) < 2
    tumour_ml = known.volumes[1] + known.volumes[2]
    assert 0.5 * RADIUS[0] ** 3 * 4.19 / 1000 < tumour_ml < 1.5 * RADIUS[1] ** 3 * 4.19 / 1000


def test_around_a_mass_all_of_the_healthy_brain_is_still_there(healthy, patients):
    shape, affine = (96, 120, 128), centred_affine((96, 120, 128), 2.0)
    grids = [place(s, shape, affine, transform=no_transform(), n_subsamples=1) for s in (healthy, patients["mass"])]
    before, after = (head.on_grid(head.tissue[:, 0].float()).numpy() for head in grids)
    was_cortex, is_cortex = ((t == INDEX_OF["cortex"]).sum() for t in (before, after))
    # Cortex near the mass is stretched or squeezed, not cut out.
    assert is_cortex == pytest.approx(was_cortex, rel=0.02)
    far = ndimage.distance_transform_edt(after < FIRST_PATHOLOGY) > 60 / 2.0
    assert np.array_equal(before[far], after[far])


@pytest.mark.parametrize(("enhancing", "is_brighter"), [(True, True), (False, False)])
def test_a_rim_that_has_taken_up_contrast_agent_is_brighter_than_white_matter(healthy, enhancing, is_brighter):
    visit = visit_site(with_mass(healthy, generator(), enhancing=enhancing), SITES["B"], spacing=2.0, seed=2)
    scan, known = truth_at(visit, SITES["B"]).data, known_lesions(visit)
    inside = ndimage.binary_erosion(known.mask(2), iterations=1)
    rim = scan[inside] if inside.any() else scan[known.mask(2)]
    assert (np.median(rim) > np.median(scan[visit.head.white_matter.numpy()])) == is_brighter


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("kind", ["sclerosis", "hyperintensities"])
def test_lesions_of_white_matter_are_dark_at_every_site(visits, kind, site):
    visit = visits[kind]
    scan, lesions = rescan_at(visit, SITES[site]).data, known_lesions(visit).labels > 0
    around = ndimage.binary_dilation(lesions, iterations=3) & visit.head.white_matter.numpy()
    assert scan[lesions].mean() < scan[around].mean() - 2 * scan[around].std() / np.sqrt(lesions.sum())


def test_ovoids_lie_at_fluid_with_their_long_axis_across_to_it(patients, white_matter):
    lesions = patients["sclerosis"].lesions
    assert len(lesions) >= 4
    for lesion in lesions:
        voxel = tuple(((lesion.centre + torch.tensor([95.0, 119.0, 127.0])) / 2).round().long().tolist())
        assert white_matter.to_fluid[voxel] < 8 < 20 < white_matter.depth[voxel]
        long, *short = (1 / lesion.to_unit_ball.norm(dim=1)).tolist()
        assert 3.9 < long < 8.1
        assert max(short) <= 0.71 * long


def test_hyperintensities_are_small_and_many(patients):
    lesions = patients["hyperintensities"].lesions
    diameters = [2 / lesion.to_unit_ball.norm(dim=1).mean().item() for lesion in lesions]
    assert 15 <= len(lesions) <= 30
    assert 1.5 < min(diameters) < max(diameters) < 6
    centres = torch.stack([lesion.centre for lesion in lesions])
    assert (torch.cdist(centres, centres) + 99 * torch.eye(len(lesions))).min() > 4


def test_one_subject_may_have_lesions_of_several_kinds(healthy):
    both = with_sclerosis(with_mass(healthy, generator()), generator())
    known = known_lesions(visit_site(both, SITES["B"], spacing=4.0, seed=2))
    assert {"mass core", "sclerosis"} <= set(known.kinds)
    assert len(both.mass_effects) == 1


def test_a_head_without_white_matter_has_no_place_for_a_lesion(ball_of_fluid):
    with pytest.raises(InputError, match="no place for a mass"):
        with_mass(ball_of_fluid, generator())


@pytest.fixture
def ball_of_fluid():
    from hail_mri.simulation.label_maps import label_map_from_labels

    i, j, k = np.indices((30, 30, 30))
    labels = np.where((i - 15) ** 2 + (j - 15) ** 2 + (k - 15) ** 2 < 14**2, 24, 0)
    return new_subject(label_map_from_labels(labels, (6.0, 6.0, 6.0), name="fluid"), 1, deformation=0.0)


def test_the_tissues_of_lesions_do_not_shift_those_of_the_healthy():
    assert min(PATHOLOGY_INDEX.values()) == FIRST_PATHOLOGY > INDEX_OF["mucosa"]
