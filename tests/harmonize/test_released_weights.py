"""A guard on what is shipped: weights that load but know nothing must not pass."""

from functools import cache

import pytest
import torch

from hail_mri.evaluation.comparison import DO_NOTHING, EXACT_MATCHING, SIMPLEITK_MATCHING, compare
from hail_mri.evaluation.simulated import simulated_pair
from hail_mri.harmonize.harmonizer import harmonize
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import load_model, save_model
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_visit, travelling_pair, visit_site

pytestmark = pytest.mark.slow

SPACING = 3.0  # mm
BASELINES = (DO_NOTHING, EXACT_MATCHING, SIMPLEITK_MATCHING)
# Where the contrast of the brain differs. Between A and C it hardly does: doing nothing gives 30 dB, the weights of
# 7,424 steps are 1 dB below it from A to C, and 1 dB below SimpleITK's matching from C to A.
DIRECTIONS = [("A", "B"), ("C", "B")]


@pytest.fixture(scope="module")
def make_pair(mni):
    """Return a function that makes the pair of two sites, each pair once."""

    @cache
    def make(source_name, target_name):
        travelling = travelling_pair(mni, SITES[source_name], SITES[target_name], spacing=SPACING, seed=1)
        visit = visit_site(new_subject(mni, 2), SITES[target_name], spacing=SPACING, seed=2)
        return simulated_pair(travelling, scan_visit(visit), target_white_matter=visit.head.white_matter.numpy())

    return make


@pytest.fixture(scope="module")
def random_model(tmp_path_factory):
    """Path of weights with the shape of the released ones that were never trained."""
    _, card = load_model("compact")
    torch.manual_seed(0)
    return save_model(TissueNetwork(card.network), card, tmp_path_factory.mktemp("random") / "random.safetensors")


def margin(pair, model):
    """By how many dB a model is better in the brain than the best of the baselines."""
    results = {"hail-mri": harmonize(pair.source, pair.target, model=model)}
    scores = {s.method: s.psnr_brain for s in compare(pair, results)}
    return scores["hail-mri"] - max(scores[name] for name in BASELINES)


@pytest.mark.parametrize("sites", DIRECTIONS, ids="".join)
def test_the_released_weights_beat_doing_nothing_and_histogram_matching_in_the_brain(make_pair, sites):
    assert margin(make_pair(*sites), "compact") > 2.0


def test_random_weights_would_not_pass(make_pair, random_model):
    assert margin(make_pair(*DIRECTIONS[0]), random_model) < 2.0
