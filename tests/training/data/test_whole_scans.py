from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from hail_mri.image.nifti import save_volume
from hail_mri.simulation.scanners import SITES
from hail_mri.training.data.heads import load_head
from hail_mri.training.data.scan_table import ScanRow
from hail_mri.training.data.whole_scans import WholeScan, mixed_scans, real_scans, simulate_scan, simulated_scans
from hail_mri.training.settings import AugmentationSection

PLAIN = AugmentationSection(stripping=False, field_of_view=False, gamma=False, flips=False)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def head(head_paths):
    return load_head(head_paths[0])


def test_a_scan_holds_whole_numbers_and_the_whole_head(head):
    volume = simulate_scan(head, SITES["B"], PLAIN, generator())
    assert volume.shape == head.shape
    np.testing.assert_array_equal(volume.affine, head.affine)
    np.testing.assert_array_equal(volume.data, np.round(volume.data))
    inside = head.head.numpy()
    assert volume.data[inside].mean() > 3 * volume.data[~inside].mean()


def test_sites_and_draws_differ_and_the_same_draw_is_the_same(head):
    one, again, other_draw = (simulate_scan(head, SITES["B"], PLAIN, generator(seed)) for seed in (0, 0, 1))
    other_site = simulate_scan(head, SITES["A"], PLAIN, generator(0))
    np.testing.assert_array_equal(again.data, one.data)
    assert not np.array_equal(other_draw.data, one.data)
    assert not np.array_equal(other_site.data, one.data)


def test_some_scans_are_stripped_and_some_are_cut(head):
    settings = replace_section(PLAIN, stripping=True, field_of_view=True)
    scans = [simulate_scan(head, SITES["B"], settings, generator(seed)) for seed in range(12)]
    outside = ~head.brain.numpy()
    whole = [scan for scan in scans if scan.shape == head.shape]
    n_stripped = sum(not scan.data[outside].any() for scan in whole)
    assert 0 < n_stripped < len(whole) < len(scans)


def replace_section(section, **changes):
    return section.model_copy(update=changes)


def test_each_scan_tells_its_label_map(head_paths, label_maps_dir):
    maps = sorted(label_maps_dir.iterdir())
    settings = {"sites": ("A", "B"), "n_heads": 4, "n_scans": 6, "seed": 3}
    scans = list(simulated_scans(head_paths[0].parent, maps, PLAIN, **settings))
    assert sorted(scan.anatomy for scan in scans) == [f"head_{n}.nii.gz" for n in (0, 0, 1, 1, 2, 3)]
    twice = [scan.volume.data for scan in scans if scan.anatomy == "head_0.nii.gz"]
    assert not np.array_equal(*twice)


@pytest.fixture
def rows(make_head, tmp_path):
    paths = [tmp_path / f"{n}.nii" for n in range(5)]
    for path in paths:
        save_volume(make_head(), path)
    return [ScanRow(f"sub-{n}", "A", path) for n, path in enumerate(paths)]


def test_real_scans_are_read_and_their_subjects_told(rows):
    scans = list(real_scans(rows, 10, pytest.fail, seed=0))
    assert sorted(scan.anatomy for scan in scans) == [row.subject for row in rows]


def test_of_many_real_scans_some_are_chosen_evenly(rows):
    assert sorted(scan.anatomy for scan in real_scans(rows, 2, pytest.fail, seed=0)) == ["sub-0", "sub-2"]
    assert list(real_scans(rows, 0, pytest.fail, seed=0)) == []


def test_a_real_scan_that_cannot_be_read_is_left_out_and_named(rows):
    rows[1].path.write_bytes(b"nothing")
    rows[2] = replace(rows[2], path=rows[2].path.with_name("gone.nii"))
    lines = []
    found = sorted(scan.anatomy for scan in real_scans(rows, 10, lines.append, seed=0))
    assert found == ["sub-0", "sub-3", "sub-4"]
    assert sorted(name for line in lines for name in ("1.nii", "gone.nii") if name in line) == ["1.nii", "gone.nii"]


def test_the_first_scans_are_of_all_sites_of_a_table_and_simulated_too(make_head, tmp_path):
    save_volume(make_head(), tmp_path / "head.nii")
    rows = [ScanRow(f"{site}{n}", site, tmp_path / "head.nii") for site in "ABC" for n in range(12)]

    def first(seed):
        simulated = iter([WholeScan(make_head(), "simulated")] * 12)
        real = real_scans(rows, len(rows), pytest.fail, seed=seed)
        return [scan.anatomy for scan in islice(mixed_scans(real, 36, simulated, 12, seed=seed), 16)]

    for seed in range(3):
        assert {name[0] for name in first(seed)} == {"A", "B", "C", "s"}
    assert first(0) == first(0) != first(1)


def test_a_mixture_has_every_scan_once_though_some_cannot_be_read(make_head):
    real, simulated = ([WholeScan(make_head(), f"{kind} {n}") for n in range(5)] for kind in ("real", "simulated"))
    found = [scan.anatomy for scan in mixed_scans(iter(real[1:4]), 5, iter(simulated), 5, seed=0)]
    assert sorted(found) == sorted(scan.anatomy for scan in (*real[1:4], *simulated))
