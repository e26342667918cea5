"""Slices of real brains whose pixels tell whose they are, and where they lie; and how brains are cut out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hail_mri.errors import InputError
from hail_mri.model.found_brain import find_brain
from hail_mri.training.data import brain_slices
from hail_mri.training.data.brain_slices import BrainSlices, cut_brain
from hail_mri.training.data.prepared_scans import PreparedScan
from hail_mri.training.data.scan_slices import SlicePairs, SliceSource
from hail_mri.training.data.scan_table import ScanRow
from hail_mri.training.running.budget import Budget

EDGE = 12


@pytest.fixture
def ball(monkeypatch):
    """Let the brain be a part of the grid that is not symmetric; return it."""
    mask = np.zeros((EDGE, EDGE, EDGE), bool)
    mask[2:9, 3:8, 4:10] = True
    mask[2:9, 3:8, 4] = False
    mask[5, 5, 4] = True
    monkeypatch.setattr(brain_slices, "find_brain", lambda _scan: mask)
    return mask


def prepared_scan(folder, name, site, number):
    """Write a scan whose voxels are whose it is plus a trace of where they lie."""
    trace = torch.arange(EDGE**3).reshape(EDGE, EDGE, EDGE) / EDGE**3
    path = folder / f"{name}.safetensors"
    save_file({"volume": number + trace, "head": torch.ones(EDGE, EDGE, EDGE, dtype=torch.uint8)}, path)
    return PreparedScan(ScanRow(name, site, path), path)


def test_the_slices_of_a_brain_are_axial_and_from_below_and_hold_nothing_else(tmp_path, ball):
    scan = prepared_scan(tmp_path, "one", "A", 1)
    brain = cut_brain(scan, spacing=2.0)
    volume, _ = scan.patch((0, 0, 0), EDGE)
    assert brain.areas().tolist() == [1, 35, 35, 35, 35, 35]
    for number in range(6):
        k = number + 4
        expected = volume[:, :, k] * torch.from_numpy(ball[:, :, k])
        torch.testing.assert_close(brain.image(number), expected, atol=1e-3, rtol=0)


@pytest.mark.usefixtures("ball")
def test_a_brain_is_cut_out_once(tmp_path, monkeypatch):
    scan = prepared_scan(tmp_path, "one", "A", 1)
    path = cut_brain(scan, spacing=2.0).path
    monkeypatch.setattr(brain_slices, "find_brain", None)
    assert cut_brain(scan, spacing=2.0) == BrainSlices(path)


@pytest.fixture
def brains(tmp_path, ball):
    found = {}
    for number, (site, subject) in enumerate((s, n) for s in "AB" for n in range(2)):
        scan = prepared_scan(tmp_path, f"{site}{subject}", site, number + 1)
        found.setdefault(site, []).append(cut_brain(scan, spacing=2.0))
    assert all(len(brain.areas()) == ball.any(axis=(0, 1)).sum() for site in found.values() for brain in site)
    return found


def pairs(brains, *, flips=False, seed=1, first=0, n_items=40):
    return SlicePairs(brains, flips=flips, seed=seed, first=first, n_items=n_items)


def test_a_pair_is_a_slice_of_each_of_two_sites_each_the_others_target(brains):
    seen = set()
    for pair in pairs(brains):
        assert pair.source.shape == (2, 1, EDGE, EDGE, 1)
        assert torch.equal(pair.target, pair.source.flip(0))
        who = [int(image[image != 0].min()) for image in pair.source]
        assert {(n - 1) // 2 for n in who} == {0, 1}
        seen.add(tuple(who))
    assert len(seen) == 8


def test_slices_with_more_brain_are_drawn_more_often(brains):
    n_small = sum(int((image != 0).sum() == 1) for pair in pairs(brains) for image in pair.source)
    assert n_small <= 4  # of 80; a sixth of the slices


def test_item_n_depends_on_nothing_but_the_seed_and_n(brains):
    assert torch.equal(pairs(brains)[7].source, pairs(brains, first=5, n_items=3)[2].source)
    assert not torch.equal(pairs(brains)[7].source, pairs(brains, seed=2)[7].source)


def test_half_of_the_pairs_are_mirrored_if_wanted(brains):
    flipped = [
        not torch.equal(a.source, b.source) for a, b in zip(pairs(brains), pairs(brains, flips=True), strict=True)
    ]
    assert 8 < sum(flipped) < 32


def source_of(tmp_path, on_bad):
    """Return the source of two scans, whose preparation does nothing."""
    scans = {site: [prepared_scan(tmp_path, f"scan_{site}", site, 1)] for site in "AB"}
    parts = {"train": scans, "validation": scans}
    fake = SimpleNamespace(prepared=parts, prepare=lambda _budget, _say: None, on_bad=on_bad, seed=1, flips=False)
    return SliceSource(fake, 2.0)


@pytest.mark.usefixtures("ball")
def test_a_prepared_source_has_slices_for_learning_and_for_validation(tmp_path):
    source = source_of(tmp_path, "stop")
    source.prepare(Budget(1), lambda _line: None)
    one, other = (source.samples(split, first=0, n_items=9) for split in ("train", "validation"))
    assert not all(torch.equal(a.source, b.source) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("on_bad", "message"),
    [
        pytest.param("stop", r"scan_A\.safetensors cannot be learned from: no brain", id="stop"),
        pytest.param("skip", "no brain of site A, B is left for train", id="skip all"),
    ],
)
def test_scans_without_a_brain_are_refused_or_skipped(tmp_path, monkeypatch, on_bad, message):
    def fail(_scan):
        raise InputError("no brain was found in it")

    monkeypatch.setattr(brain_slices, "find_brain", fail)
    lines = []
    with pytest.raises(InputError, match=message):
        source_of(tmp_path, on_bad).prepare(Budget(1), lines.append)
    assert len(lines) == (2 if on_bad == "skip" else 0)


@pytest.mark.slow
def test_the_brain_of_a_whole_head_and_of_a_stripped_one_is_where_it_is(simulated_scan, visit):
    truth = visit.head.brain.numpy()
    for scan in (simulated_scan, simulated_scan.with_data(simulated_scan.data * truth)):
        found = find_brain(scan)
        dice = 2 * (found & truth).sum() / (found.sum() + truth.sum())
        assert dice > 0.93
