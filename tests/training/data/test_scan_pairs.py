"""Pairs of prepared scans whose voxels tell who they are of, and where they lie."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hail_mri.errors import InputError
from hail_mri.image.nifti import save_volume
from hail_mri.image.volume import Volume
from hail_mri.preprocess.reslicing import reslice
from hail_mri.training.batch import Batch
from hail_mri.training.data.mixed_source import MixedSamples
from hail_mri.training.data.prepared_scans import PreparedScan, prepare_scans
from hail_mri.training.data.scan_pairs import ScanPairs
from hail_mri.training.data.scan_table import ScanRow
from hail_mri.training.running.budget import Budget

EDGE, SHAPE = 8, (20, 24, 28)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Two sites of two scans; a voxel is who it is of plus a trace of where it lies, the head is the middle."""
    folder, found = tmp_path_factory.mktemp("store"), {}
    trace = torch.arange(np.prod(SHAPE)).reshape(SHAPE) / np.prod(SHAPE)
    head = torch.zeros(SHAPE, dtype=torch.uint8)
    head[4:16, 4:20, 4:24] = 1
    places = head.nonzero()[torch.randperm(int(head.sum()), generator=torch.Generator().manual_seed(0))]
    for number, (site, subject) in enumerate((s, n) for s in "AB" for n in range(2)):
        path = folder / f"{site}{subject}.safetensors"
        tensors = {"volume": (number + trace).float(), "head": head, "places": places.to(torch.int16)}
        save_file(tensors, path)
        found.setdefault(site, []).append(PreparedScan(ScanRow(f"{site}{subject}", site, path), path))
    return found


def pairs(scans, *, flips=False, seed=1, first=0, n_items=40):
    return ScanPairs(scans, edge=EDGE, flips=flips, seed=seed, first=first, n_items=n_items)


def test_both_directions_come_from_the_same_place_of_two_sites(scans):
    seen = set()
    for pair in pairs(scans):
        assert pair.source.shape == (2, 1, EDGE, EDGE, EDGE)
        assert torch.equal(pair.target, pair.source.flip(0))
        assert torch.equal(pair.target_weight, pair.source_weight.flip(0))
        assert pair.truth is None
        who = pair.source.amin(dim=(1, 2, 3, 4)).floor().int().tolist()
        assert {n // 2 for n in who} == {0, 1}
        torch.testing.assert_close(pair.source[0] - who[0], pair.source[1] - who[1], atol=1e-5, rtol=0)
        seen.add(tuple(who))
    assert seen == {(a, b) for a in range(4) for b in range(4) if a // 2 != b // 2}


def test_every_patch_holds_some_head(scans):
    assert all((pair.source_weight.amax(dim=(1, 2, 3, 4)) == 1).all() for pair in pairs(scans))


def test_item_n_depends_on_nothing_but_the_seed_and_n(scans):
    assert torch.equal(pairs(scans)[7].source, pairs(scans, first=5, n_items=3)[2].source)
    assert not torch.equal(pairs(scans)[7].source, pairs(scans, seed=2)[7].source)


def test_half_of_the_pairs_are_mirrored_if_wanted(scans):
    mirrored = [
        not torch.equal(a.source, b.source) for a, b in zip(pairs(scans), pairs(scans, flips=True), strict=True)
    ]
    assert 8 < sum(mirrored) < 32


def test_a_mixture_has_its_share_wherever_it_begins():
    real, simulated = ([Batch(torch.full((2, 1, 1, 1, 1), float(k) + n)) for n in range(100)] for k in (0, 1000))
    whole = [int(b.source[0]) for b in MixedSamples(real, simulated, share=0.3, first=0, n_items=100)]
    later = [int(b.source[0]) for b in MixedSamples(real, simulated, share=0.3, first=37, n_items=20)]
    assert whole[37:57] == later
    assert sorted(whole) == [*range(70), *range(1000, 1030)]
    assert all(2 <= sum(n >= 1000 for n in whole[k : k + 10]) <= 4 for k in range(90))


@pytest.mark.parametrize("kind", ["corrupt", "constant"])
def test_a_scan_that_cannot_be_used_is_named_and_stops_or_is_skipped(tmp_path, reference_4mm, kind):
    path = tmp_path / "bad.nii.gz"
    if kind == "corrupt":
        path.write_bytes(b"no scan")
    else:
        save_volume(Volume(np.full((32, 32, 32), 7, np.float32), np.diag([6.0, 6.0, 6.0, 1.0])), path)
    row, lines = ScanRow("one", "A", Path(path)), []
    with pytest.raises(InputError, match=r"bad\.nii\.gz \(subject one, site A\) cannot be learned from"):
        prepare([row], reference_4mm, tmp_path, "stop", lines)
    assert prepare([row], reference_4mm, tmp_path, "skip", lines) == []
    assert "skipped" in lines[-1]
    assert not list((tmp_path / "store").glob("*.safetensors"))


def test_all_scans_that_cannot_be_used_are_named_before_a_run_stops(tmp_path, reference_4mm):
    rows, lines = [], []
    for name in ("one", "two"):
        (tmp_path / f"{name}.nii.gz").write_bytes(b"no scan")
        rows.append(ScanRow(name, "A", tmp_path / f"{name}.nii.gz"))
    with pytest.raises(InputError, match=r"one\.nii\.gz .* \(1 more are named above\)"):
        prepare(rows, reference_4mm, tmp_path, "stop", lines)
    assert ["two.nii.gz" in line for line in lines] == [False, True]


def prepare(rows, reference, folder, on_bad, lines):
    return prepare_scans(
        rows, reference, folder / "store", preset="robust", on_bad=on_bad, budget=Budget(1), say=lines.append
    )


@pytest.fixture(scope="module")
def reference_4mm():
    from hail_mri.preprocess.reference import mni_reference

    return mni_reference(spacing=4.0, size=64)


@pytest.mark.slow
def test_a_scan_is_prepared_once_and_is_where_the_reference_is(tmp_path, reference_4mm, simulated_scan):
    path, lines = tmp_path / "scan.nii.gz", []
    save_volume(simulated_scan, path)
    (scan,) = prepare([ScanRow("one", "A", path)], reference_4mm, tmp_path, "stop", lines)
    volume, head = scan.patch((0, 0, 0), 64)
    assert scan.shape() == (64, 64, 64)
    assert 0 <= volume.min() < volume.max() <= 1
    assert volume[head == 0].mean() < 0.05
    assert 0.4 < volume[head == 1].median() < 0.7
    brain = reslice(reference_4mm.brain, reference_4mm.grid, np.eye(4)).data > 0.5
    assert head[torch.from_numpy(brain)].mean() > 0.95
    assert all(scan.shows(tuple(place)) for place in scan.places()[:20].tolist())
    assert prepare([ScanRow("one", "A", path)], reference_4mm, tmp_path, "stop", lines)[0].path == scan.path
    assert len(lines) == 1
