import numpy as np
import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.image.volume import Volume
from hail_mri.preprocess.cache import EstimateCache
from hail_mri.preprocess.pose_search import search_poses
from hail_mri.preprocess.prepare import prepare
from hail_mri.preprocess.reference import comparable, scan_reference
from hail_mri.preprocess.registration import kept_registration, register
from hail_mri.preprocess.rigid import largest_displacement, rotation_angle
from hail_mri.simulation.acquisition import random_receive_field
from hail_mri.simulation.acquisition import scan as acquire_scan
from hail_mri.simulation.phantoms import no_transform, place
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import head_grid

FOUND = (2.0, 2.0)  # mm and degrees


@pytest.fixture(scope="module")
def other_site(visit):
    """Return the same subject at another site, comparable: other contrast, the same place."""
    from hail_mri.simulation.scanners import SITES
    from hail_mri.simulation.travelling import rescan_at

    return comparable(prepare(rescan_at(visit, SITES["C"]), spacing=4.0, stride=1))


def error(found, truth):
    at_centre = np.linalg.norm((found.matrix - truth) @ [*found.centre, 1.0])
    return at_centre, rotation_angle(found.matrix @ np.linalg.inv(truth))


def stripped(volume, brain_mask):
    return volume.with_data(np.where(brain_mask.data > 0, volume.data, 0))


def cut(volume, axis, share):
    """Keep a share of the field of view, from its first voxel."""
    return Volume(np.take(volume.data, range(round(share * volume.shape[axis])), axis), volume.affine)


@pytest.mark.parametrize(
    ("turn", "shift"),
    [
        pytest.param((0, 0, 0), (0, 0, 0), id="where it is"),
        pytest.param((40, 0, 0), (10, -20, 30), id="chin on the chest"),
        pytest.param((-20, 25, 30), (-60, 0, 0), id="turned and shifted"),
    ],
)
def test_a_head_is_found_however_it_lies(reference, other_site, move, turn, shift):
    moved, truth = move(other_site, turn, shift)
    found = register(reference, moved)
    millimetres, degrees = error(found, truth)
    assert millimetres < FOUND[0]
    assert degrees < FOUND[1]
    assert found.verdict == "ok"


def test_a_brain_alone_is_found(reference, other_site, brain_mask, move):
    moved, truth = move(stripped(other_site, brain_mask), (20, -10, 15), (20, 10, -30))
    found = register(reference, moved)
    millimetres, degrees = error(found, truth)
    assert millimetres < FOUND[0]
    assert degrees < FOUND[1]
    assert found.verdict == "ok"


def test_a_head_that_is_cut_is_found_in_what_is_left(reference, other_site, move):
    moved, truth = move(other_site, (0, 20, 0), (0, 20, 0), size=110)
    found = register(reference, cut(moved, 2, 0.6))
    millimetres, degrees = error(found, truth)
    assert millimetres < FOUND[0]
    assert degrees < FOUND[1]
    assert found.overlap < 0.9


def test_the_same_scans_have_the_same_transform(reference, other_site):
    first, second = (register(reference, other_site) for _ in range(2))
    np.testing.assert_array_equal(first.matrix, second.matrix)
    assert first.contrast == second.contrast


def test_noise_is_no_head(reference):
    noise = Volume(np.random.default_rng(0).uniform(0, 1, (60, 60, 60)), np.diag([4.0, 4.0, 4.0, 1.0]))
    assert register(reference, noise).verdict == "fail"


def test_a_head_upside_down_is_told(reference, other_site, move):
    moved, _ = move(other_site, (180, 0, 0))
    assert register(reference, moved).verdict == "fail"


def test_a_scan_with_too_little_of_a_head_is_refused(reference, other_site):
    with pytest.raises(InputError, match="too little of a head"):
        register(reference, cut(other_site, 2, 0.1))


def test_the_search_finds_the_scan_itself_first(reference):
    best = search_poses(reference.volume, reference.region, reference.volume)[0]
    assert largest_displacement(best.matrix, np.eye(4), np.zeros(3)) < 12


def test_a_registration_is_estimated_once(reference, other_site, tmp_path, monkeypatch):
    first = kept_registration(reference, other_site, EstimateCache(tmp_path))
    monkeypatch.setattr("hail_mri.preprocess.registration.register", lambda *_: pytest.fail("again"))
    again = kept_registration(reference, other_site, EstimateCache(tmp_path))
    np.testing.assert_array_equal(again.matrix, first.matrix)
    assert (again.contrast, again.verdict) == (first.contrast, first.verdict)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_another_person_at_another_site_is_found(mni, move, seed):
    # Both at rest in their frames; what is left between them are their shapes. Heads that are bent far more than
    # people differ are not found (docs/preprocessing.md).
    reference, brain = at_rest(mni, 10 + seed, "A")
    scan, _ = at_rest(mni, 50 + seed, "C")
    moved, truth = move(comparable(prepare(scan, spacing=4.0, stride=1)), (10, -8, 12), (5, -10, 8))
    found = register(scan_reference(reference, brain, name="another", spacing=4.0, size=64), moved)
    millimetres, degrees = error(found, truth)
    assert millimetres < 8
    assert degrees < 6
    assert found.verdict == "ok"


@pytest.mark.slow
def test_a_pose_does_not_win_by_the_little_that_is_in_view(mni):
    # By mutual information alone these two, bent far apart, end 123 mm and 49 degrees away, with 0.69 of the region in
    # view.
    reference, brain = at_rest(mni, 100, "A", deformation=1.0, spacing=4.0)
    scan, _ = at_rest(mni, 200, "C", deformation=1.0, spacing=4.0)
    found = register(
        scan_reference(reference, brain, name="another", spacing=4.0, size=64),
        comparable(prepare(scan, spacing=4.0, stride=1)),
    )
    millimetres, degrees = error(found, np.eye(4))
    assert millimetres < 20
    assert degrees < 15
    assert found.overlap > 0.95


def at_rest(label_map, seed, site, *, deformation=0.35, spacing=2.0):
    """Return a scan of a person whose frame is the scanner's, and where the brain is."""
    grid = head_grid(spacing)
    phantom = place(
        new_subject(label_map, seed, deformation=deformation),
        grid.shape,
        np.array(grid.affine),
        transform=no_transform(),
        n_subsamples=1,
    )
    generator = torch.Generator().manual_seed(seed)
    values = acquire_scan(phantom, SITES[site], receive_field=random_receive_field(generator), noise=generator)
    return Volume(values.numpy(), grid.affine), Volume(phantom.brain.numpy().astype(np.float32), grid.affine)


def test_how_many_threads_there_are_changes_no_bit_of_the_search(reference, other_site):
    before, found = torch.get_num_threads(), []
    try:
        for n in (1, 3):
            torch.set_num_threads(n)
            found.append(search_poses(reference.volume, reference.region, other_site, angle_step=30))
    finally:
        torch.set_num_threads(before)
    assert [pose.similarity for pose in found[0]] == [pose.similarity for pose in found[1]]
    np.testing.assert_array_equal(*[[pose.matrix for pose in poses] for poses in found])
