from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf

from hail_mri.errors import InputError
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.known_styles import KnownStyles, style_row
from hail_mri.model.known_styles_fit import LEAST_SPREAD, learn_known_styles

CHANNELS = (4, 8, 16)
N_NUMBERS = 2 * sum(CHANNELS)
N_SCANS, N_ANATOMIES = 60, 12


def style_of(row):
    """The style whose row of numbers this is."""
    numbers, means, stds = iter(row.tolist()), [], []
    for n in CHANNELS:
        means.append(tuple(next(numbers) for _ in range(n)))
        stds.append(tuple(next(numbers) for _ in range(n)))
    return FeatureStyle(tuple(means), tuple(stds))


def draw_rows(n, seed):
    """Styles that differ mostly in three ways, and in each channel a little; all of them above 0."""
    rng = np.random.default_rng(seed)
    ways = np.random.default_rng(0).normal(0, 0.3, (3, N_NUMBERS))
    return 10 + rng.normal(0, 1, (n, 3)) @ ways + rng.normal(0, 0.05, (n, N_NUMBERS))


@pytest.fixture(scope="module")
def rows():
    return draw_rows(N_SCANS, seed=1)


@pytest.fixture(scope="module")
def known(rows):
    return learn_known_styles([style_of(row) for row in rows], np.arange(N_SCANS) % N_ANATOMIES)


def test_a_row_holds_the_numbers_of_a_style_in_order(rows):
    np.testing.assert_array_equal(style_row(style_of(rows[0])), rows[0])


def test_the_reach_holds_most_of_new_scans_of_the_same_kind():
    new = [style_of(row) for row in draw_rows(200, seed=2)]
    within = []
    for seed in range(10, 20):  # of 60 scans, the reach is that of three
        known = learn_known_styles([style_of(r) for r in draw_rows(N_SCANS, seed)], np.arange(N_SCANS) % N_ANATOMIES)
        within += [known.score(style) <= 1 for style in new]
    assert 0.9 < np.mean(within) < 0.98


def test_a_style_that_differs_as_none_did_is_far_away(known, rows):
    away = rows[0].copy()
    away[3] += 1.0  # one channel of many, by three of its standard deviations
    assert known.score(style_of(away)) > 2.5 > 1.5 > known.score(style_of(rows[0]))


def test_a_channel_that_was_always_silent_and_speaks_is_told(rows):
    silent = rows.copy()
    silent[:, 5] = 0.003
    known = learn_known_styles([style_of(row) for row in silent], np.arange(N_SCANS) % N_ANATOMIES)
    speaks = silent[0].copy()
    speaks[5] = 2.0  # as the others vary
    assert known.spread[5] == pytest.approx(LEAST_SPREAD * np.median(known.spread), rel=0.05)
    assert known.score(style_of(speaks)) > 5 * known.score(style_of(silent[0]))


def test_distances_are_those_of_scikit_learn_if_all_directions_are_kept(known, rows):
    z, new = ((some - known.mean) / known.spread for some in (rows, draw_rows(5, seed=3)))
    oracle = LedoitWolf(assume_centered=True).fit(z).mahalanobis(new)
    found = [known.distance(row) ** 2 for row in draw_rows(5, seed=3)]
    assert len(known.variances) == N_NUMBERS - 1
    np.testing.assert_allclose(found, oracle, rtol=1e-3)


def test_the_reach_is_farther_where_anatomies_matter(rows):
    shifts = np.random.default_rng(4).normal(0, 0.5, (N_ANATOMIES, N_NUMBERS))
    anatomies = np.arange(N_SCANS) % N_ANATOMIES
    styles = [style_of(row + shifts[n]) for row, n in zip(rows, anatomies, strict=True)]
    by_anatomy, by_scan = (learn_known_styles(styles, groups) for groups in (anatomies, np.arange(N_SCANS)))
    assert by_anatomy.reach[0] > 1.2 * by_scan.reach[0]


def test_what_is_kept_comes_back(known, rows):
    back = KnownStyles.from_tensors(known.tensors())
    assert back.score(style_of(rows[0])) == known.score(style_of(rows[0]))
    assert KnownStyles.from_tensors({}) is None


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16, torch.float64])
def test_it_is_read_in_any_precision(known, rows, precision):
    back = KnownStyles.from_tensors({name: tensor.to(precision) for name, tensor in known.tensors().items()})
    assert (back.mean.dtype, back.n_scans.dtype, back.n_scans[0]) == (np.float32, np.int32, N_SCANS)
    assert back.score(style_of(rows[0])) == pytest.approx(known.score(style_of(rows[0])), rel=0.2)


def test_a_part_of_it_is_refused(known):
    tensors = known.tensors()
    del tensors["known_styles.reach"]
    with pytest.raises(InputError, match=r"no 'known_styles\.reach'"):
        KnownStyles.from_tensors(tensors)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        pytest.param("spread", lambda a: a[1:], "does not fit together", id="a channel less"),
        pytest.param("directions", lambda a: a.T, "does not fit together", id="turned"),
        pytest.param("mean", lambda a: a[0], "does not fit together", id="one number"),
        pytest.param("mean", lambda a: a[:, None], "does not fit together", id="a column"),
        pytest.param("variances", lambda a: a[None], "does not fit together", id="a line"),
        pytest.param("n_scans", lambda a: -a, "of -60 scans", id="scans below none"),
        pytest.param("mean", lambda a: a * np.float32(np.nan), "not finite", id="no numbers"),
        pytest.param("reach", lambda a: 0 * a, "not above 0", id="no reach"),
    ],
)
def test_what_makes_no_sense_is_refused(known, name, change, message):
    with pytest.raises(InputError, match=message):
        replace(known, **{name: change(getattr(known, name))})


def test_a_style_of_another_network_is_refused(known):
    with pytest.raises(InputError, match="a style of 2 numbers, expected 56"):
        known.score(FeatureStyle(((1.0,),), ((1.0,),)))


@pytest.mark.parametrize(
    ("n_scans", "n_anatomies"), [pytest.param(7, 7, id="few scans"), pytest.param(30, 1, id="one anatomy")]
)
def test_too_little_is_refused(rows, n_scans, n_anatomies):
    styles = [style_of(row) for row in rows[:n_scans]]
    with pytest.raises(InputError, match=f"{n_scans} scans of {n_anatomies} anatomies tell too little"):
        learn_known_styles(styles, np.arange(n_scans) % n_anatomies)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_others", [1, 2])
def test_scans_that_are_nearly_all_of_one_anatomy_are_refused(rows, n_others):
    styles, anatomies = [style_of(row) for row in rows[:8]], ["a"] * n_others + ["b"] * (8 - n_others)
    with pytest.raises(InputError, match=f"{8 - n_others} of 8 scans are of one anatomy: the others are too few"):
        learn_known_styles(styles, anatomies)


@pytest.mark.filterwarnings("error")
def test_three_scans_of_another_anatomy_are_enough(rows):
    assert learn_known_styles([style_of(row) for row in rows[:8]], list("aaabbbbb")).reach > 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param([0] * 8, id="all alike"),
        pytest.param([0] * 7 + [1], id="all but one"),
        pytest.param([0, 0, 0, 0, 1, 1, 1, 1], id="two looks"),
    ],
)
def test_styles_that_are_too_alike_are_refused(rows, numbers):
    with pytest.raises(InputError, match="too alike"):
        learn_known_styles([style_of(rows[n]) for n in numbers], [0, 1, 2, 3, 0, 1, 2, 3])
