"""A guard on what is shipped: weights that load but know nothing must not pass."""

import pytest
import torch

from hail_mri.evaluation.comparison import DO_NOTHING, EXACT_MATCHING, SIMPLEITK_MATCHING, compare
from hail_mri.evaluation.simulated import simulated_pair
from hail_mri.harmonize.harmonizer import harmonize
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import load_model, save_model
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_visit, travelling_pair, visit_site

SPACING = 3.0  # mm
BASELINES = (DO_NOTHING, EXACT_MATCHING, SIMPLEITK_MATCHING)
# Where the contrast of the brain differs. Between A and C it hardly does: doing nothing gives 30 dB, the weights of
# 7,424 steps are 1 dB below it from A to C, and 1 dB below SimpleITK's matching from C to A.
DIRECTIONS = [("A", "B"), ("C", "B")]


@pytest.fixture(scope="module")
def label_map():
    return mni_label_map(2.0)


@pytest.fixture(scope="module")
def random_model(tmp_path_factory):
    """Path of weights with the shape of the released ones that were never trained."""
    _, card = load_model("compact")
    torch.manual_seed(0)
    return save_model(TissueNetwork(card.network), card, tmp_path_factory.mktemp("random") / "random.safetensors")


def margin(label_map, sites, model):
    """By how many dB a model is better in the brain than the best of the baselines."""
    source_site, target_site = (SITES[name] for name in sites)
    travelling = travelling_pair(label_map, source_site, target_site, spacing=SPACING, seed=1)
    visit = visit_site(new_subject(label_map, 2), target_site, spacing=SPACING, seed=2)
    target, white_matter = scan_visit(visit), visit.head.white_matter.numpy()
    pair = simulated_pair(travelling, target, target_white_matter=white_matter)
    results = {"hail-mri": harmonize(pair.source, target, model=model)}
    scores = {s.method: s.psnr_brain for s in compare(pair, results)}
    return scores["hail-mri"] - max(scores[name] for name in BASELINES)


@pytest.mark.parametrize("sites", DIRECTIONS, ids="".join)
def test_the_released_weights_beat_doing_nothing_and_histogram_matching_in_the_brain(label_map, sites):
    assert margin(label_map, sites, "compact") > 2.0


def test_random_weights_would_not_pass(label_map, random_model):
    assert margin(label_map, DIRECTIONS[0], random_model) < 2.0
