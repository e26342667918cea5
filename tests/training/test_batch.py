"""One batch for scans of which much or little is known."""

import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.training.batch import Batch

SHAPE = (2, 1, 4, 5, 6)


def scans(**known):
    return Batch(torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)), **known)


def test_samples_are_joined_in_order():
    one, other = scans(truth=torch.zeros(SHAPE)), scans(truth=torch.ones(SHAPE))
    joined = Batch.join([one, other])
    assert len(joined) == 4
    assert joined.truth[:, 0, 0, 0, 0].tolist() == [0, 0, 1, 1]
    assert joined.target is None


def test_scans_with_a_truth_and_scans_without_are_no_batch():
    with pytest.raises(InputError, match="source, truth / source"):
        Batch.join([scans(truth=torch.zeros(SHAPE)), scans()])


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"target": torch.zeros(1, 1, 4, 5, 6)}, id="number"),
        pytest.param({"truth": torch.zeros(2, 1, 4, 5, 5)}, id="edges"),
        pytest.param({"tissue_counts": torch.zeros(2, 4, 6, 5, 3)}, id="tissues"),
    ],
)
def test_shapes_that_do_not_agree_are_refused(known):
    with pytest.raises(InputError, match="has the shape"):
        scans(**known)


def test_mirroring_twice_is_nothing_and_mirrors_tissues_with_their_scan():
    counts = torch.arange(2 * 4 * 5 * 6 * 3).reshape(2, 4, 5, 6, 3)
    batch = scans(tissue_counts=counts)
    assert torch.equal(batch.flipped().source[:, 0, 0], batch.source[:, 0, 3])
    assert torch.equal(batch.flipped().tissue_counts[:, 0], counts[:, 3])
    assert torch.equal(batch.flipped().flipped().tissue_counts, counts)


def test_it_goes_to_a_device_with_all_it_has():
    moved = scans(truth=torch.zeros(SHAPE)).to("meta")
    assert {moved.source.device.type, moved.truth.device.type} == {"meta"}
