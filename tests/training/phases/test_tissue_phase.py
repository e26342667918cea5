"""The tissue network's loss."""

import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.model.tissue_classes import BACKGROUND, GREY_MATTER, TISSUE_CLASSES
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.training.batch import Batch
from hail_mri.training.data.simulated_scans import draw_scan
from hail_mri.training.phases.tissue_phase import TissuePhase, tissue_loss


def test_sixty_steps_on_one_scan_cut_the_loss(head_paths):
    scan = draw_scan(head_paths, torch.Generator().manual_seed(5), patch=16)
    torch.manual_seed(0)
    network, weights = TissueNetwork(TissueNetworkSettings((16, 16), (1, 1))), torch.ones(len(TISSUE_CLASSES))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        loss = tissue_loss(network(scan.source), scan.tissue_counts, weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_loss_of_a_certain_and_right_map_is_zero():
    counts = torch.zeros(1, 4, 4, 4, len(TISSUE_CLASSES), dtype=torch.uint8)
    counts[..., BACKGROUND] = 8
    logits = torch.zeros(1, 2, 2, 2, 8, len(TISSUE_CLASSES))
    logits[..., BACKGROUND] = 50.0
    assert tissue_loss(logits, counts, torch.ones(len(TISSUE_CLASSES))) == pytest.approx(0.0, abs=1e-6)


def test_scans_without_tissues_teach_the_tissue_network_nothing_and_it_says_so(head_paths):
    scan = draw_scan(head_paths, torch.Generator().manual_seed(5), patch=16)
    phase = TissuePhase(TissueNetwork(TissueNetworkSettings((8, 8), (1, 1))), None, None)
    with pytest.raises(InputError, match="the tissue network needs the tissue counts"):
        phase.training_step(Batch(scan.source))


def test_a_picture_has_the_tissues_that_the_network_finds_beside_the_true_ones(head_paths):
    scan = draw_scan(head_paths, torch.Generator().manual_seed(5), patch=16)
    network = TissueNetwork(TissueNetworkSettings((8, 8), (1, 1)))
    with torch.no_grad():
        network.last.weight.zero_()
        network.last.bias.copy_(torch.nn.functional.one_hot(torch.tensor(GREY_MATTER), len(TISSUE_CLASSES)).repeat(8))
        example = TissuePhase(network, None, None).example(scan)
    assert (example.labels["tissues found"] == GREY_MATTER).all()
    true = example.labels["true tissues"]
    assert (true == scan.tissue_counts[0].numpy().argmax(-1)).all()
    assert true.shape == example.scans["scan"].shape == (16, 16, 16)
