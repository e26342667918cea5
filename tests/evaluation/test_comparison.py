"""A comparison must be fair: known errors give known numbers, on any pair, and what is not known is not made up."""

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.evaluation.comparison import (
    BASELINES,
    DO_NOTHING,
    EXACT_MATCHING,
    ORACLE,
    RESCAN,
    baseline_results,
    compare,
    score_results,
)
from hail_mri.evaluation.scored_pair import ScoredPair
from hail_mri.evaluation.wasserstein import nwd
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask

SOURCE_SIGNAL = (0, 800, 100, 150, 420, 640)  # of air, scalp, skull, fluid, grey and white matter
TARGET_SIGNAL = (0, 1500, 300, 500, 1400, 2000)
AGAINST_TRUTH = ("psnr_head", "ssim_head", "psnr_brain", "ssim_brain")


@pytest.fixture
def source(make_head):
    """Under a receive bias field: no single curve leads to the truth."""
    head = make_head(signal=SOURCE_SIGNAL)
    return head.with_data(head.data * np.linspace(0.85, 1.15, head.shape[1])[:, None])


@pytest.fixture
def target(make_head):
    """Another field of view, and turned: nothing is compared voxel by voxel with it."""
    return make_head(signal=TARGET_SIGNAL, shape=(40, 46, 44), axcodes="LPS", rotation=(4, 8, -5), noise=30)


@pytest.fixture
def truth(make_head):
    return make_head(signal=TARGET_SIGNAL, noise=0)


@pytest.fixture
def brain(truth):
    return np.isin(truth.data, TARGET_SIGNAL[3:])


@pytest.fixture
def pair(source, target, truth, brain):
    """A pair of which all is known."""
    noise = np.random.default_rng(7).normal(0, 10, truth.shape)
    rescan = truth.with_data(truth.data + noise * (truth.data > 0))
    return ScoredPair(source, target, truth, rescan, brain_mask=brain, head_mask=truth.data > 0)


def by_method(scores):
    return {score.method: score for score in scores}


def test_truth_itself_is_perfect(pair):
    (perfect,) = score_results(pair, {"perfect": pair.truth})
    assert perfect.psnr_head == perfect.psnr_brain == float("inf")
    assert perfect.ssim_head == perfect.ssim_brain == pytest.approx(1.0)


def test_error_of_a_tenth_of_the_range_is_twenty_decibels(pair):
    data_range = np.percentile(pair.truth.data[pair.head_mask], 99)
    (off,) = score_results(pair, {"off": pair.truth.with_data(pair.truth.data + 0.1 * data_range)})
    assert off.psnr_head == pytest.approx(20.0, abs=1e-3)
    assert off.psnr_brain == pytest.approx(20.0, abs=1e-3)


def test_rescan_beats_the_oracle_which_beats_doing_nothing(pair):
    scores = by_method(compare(pair, {}))
    assert scores[RESCAN].psnr_head > scores[ORACLE].psnr_head > scores[DO_NOTHING].psnr_head


def test_doing_nothing_moves_no_histogram(pair):
    nothing = by_method(compare(pair, {}))[DO_NOTHING]
    assert nothing.nwd_ip == pytest.approx(0.0, abs=1e-6)
    assert nothing.nwd_tp == pytest.approx(100.0, abs=1e-6)


def test_exact_matching_moves_the_histogram_all_the_way(pair):
    matched = by_method(compare(pair, {}))[EXACT_MATCHING]
    assert matched.nwd_ip == pytest.approx(100.0, abs=0.1)
    assert matched.nwd_tp == pytest.approx(0.0, abs=0.1)


def test_every_classic_baseline_gives_what_it_gives_by_itself(source, target):
    found = baseline_results(ScoredPair(source, target))
    assert list(found) == list(BASELINES)
    for name, run in BASELINES.items():
        np.testing.assert_array_equal(found[name].data, run(source, target).data, err_msg=name)


def test_nwd_is_that_of_the_heads_found_and_of_the_rescaled_source(source, target):
    pair = ScoredPair(source, target)
    (score,) = score_results(pair, {"plus": source.with_data(source.data * 2)})
    rescaled, head = baseline_results(pair)[DO_NOTHING], head_mask(source)
    expected = nwd(rescaled.data[head], target.data[head_mask(target)], 2 * source.data[head])
    assert (score.nwd_ip, score.nwd_tp) == (expected.ip, expected.tp)


def test_methods_come_in_a_fixed_order_with_the_floor_last(pair):
    found = [score.method for score in compare(pair, {"b": pair.truth, "a": pair.source})]
    assert found == [*BASELINES, ORACLE, "b", "a", RESCAN]


def test_without_a_truth_only_histograms_are_scored_and_nobody_knows_the_truth(pair):
    scores = compare(ScoredPair(pair.source, pair.target, brain_mask=pair.brain_mask), {"ours": pair.truth})
    assert [score.method for score in scores] == [*BASELINES, "ours"]
    assert {getattr(score, name) for score in scores for name in AGAINST_TRUTH} == {None}
    expected = by_method(compare(pair, {"ours": pair.truth}))
    assert all((s.nwd_ip, s.nwd_tp) == (expected[s.method].nwd_ip, expected[s.method].nwd_tp) for s in scores)


def test_without_a_brain_mask_only_the_scores_of_the_brain_are_missing(pair):
    results = {"ours": pair.rescan}
    (expected,) = score_results(pair, results)
    (score,) = score_results(ScoredPair(pair.source, pair.target, pair.truth, head_mask=pair.head_mask), results)
    assert (score.psnr_brain, score.ssim_brain) == (None, None)
    assert (score.psnr_head, score.ssim_head) == (expected.psnr_head, expected.ssim_head)


def test_without_a_head_mask_the_head_is_found_in_the_source(pair):
    found = ScoredPair(pair.source, pair.target, pair.truth)
    given = ScoredPair(pair.source, pair.target, pair.truth, head_mask=head_mask(pair.source))
    assert score_results(found, {"ours": pair.rescan}) == score_results(given, {"ours": pair.rescan})


def test_nwd_is_of_the_given_heads_only_when_both_are_given(pair):
    half = np.arange(pair.target.shape[0])[:, None, None] < 20
    target_head = head_mask(pair.target) & half
    both = ScoredPair(pair.source, pair.target, head_mask=pair.head_mask, target_head_mask=target_head)
    one = ScoredPair(pair.source, pair.target, target_head_mask=target_head)
    none = ScoredPair(pair.source, pair.target)
    results = {"ours": pair.rescan}
    assert score_results(one, results) == score_results(none, results)
    assert score_results(both, results)[0].nwd_tp != score_results(none, results)[0].nwd_tp


def test_source_that_has_the_targets_histogram_had_no_way_to_go(pair):
    (score,) = score_results(ScoredPair(pair.source, pair.source), {"ours": pair.truth})
    assert (score.nwd_ip, score.nwd_tp) == (None, None)


def test_constant_result_is_scored_and_bad(pair):
    constant = pair.truth.with_data(np.full(pair.truth.shape, 1000.0))
    scores = by_method(compare(pair, {"constant": constant}))
    assert scores["constant"].psnr_head < scores[DO_NOTHING].psnr_head
    assert scores["constant"].ssim_head < 0.5


def test_scoring_changes_no_scan(pair):
    before = [scan.data.copy() for scan in (pair.source, pair.target, pair.truth, pair.rescan)]
    compare(pair, {"ours": pair.truth})
    for scan, copy in zip((pair.source, pair.target, pair.truth, pair.rescan), before, strict=True):
        np.testing.assert_array_equal(scan.data, copy)


def test_result_on_another_grid_is_refused_by_name(pair):
    cropped = Volume(pair.truth.data[1:], pair.truth.affine)
    with pytest.raises(
        InputError, match="the result of 'ours' is on another grid than the source: its shape"
    ) as caught:
        score_results(pair, {"ours": cropped})
    assert "resample it to the source's grid" in caught.value.hint


def test_result_with_the_name_of_a_baseline_is_refused(pair):
    with pytest.raises(InputError, match="a result is named 'histogram matching, exact'") as caught:
        compare(pair, {EXACT_MATCHING: pair.truth})
    assert caught.value.hint == "give it another name"


def test_truth_that_is_dark_where_the_head_is_is_refused(pair):
    air = ScoredPair(pair.source, pair.target, pair.truth, head_mask=pair.truth.data == 0)
    with pytest.raises(InputError, match="dark in the head: its 99th percentile is 0, expected above 0"):
        score_results(air, {"ours": pair.truth})
