import numpy as np
import pytest

from hail_mri.model.tissue_classes import (
    BACKGROUND,
    CLASS_INDEX,
    CSF,
    DEEP_TISSUES,
    GREY_MATTER,
    TISSUE_CLASSES,
    WHITE_MATTER,
)
from hail_mri.model.tissue_exchange import (
    DEEP_SPREAD,
    SPREAD,
    distance_within_site,
    exchanged_means,
    probability_of_two_sites,
    style_distance,
)
from hail_mri.model.tissue_style import SMALLEST_FRACTION, UNKNOWN, TissueStyle

# By what two scans of two sites differ in each class.
ONE_DEVIATION = [(name, CLASS_INDEX[name], np.sqrt(2) * np.hypot(*both)) for name, both in SPREAD.items()]

FAT, MARROW, THALAMUS = CLASS_INDEX["fat"], CLASS_INDEX["marrow"], CLASS_INDEX["thalamus"]


def style(*, absent=(), **means):
    """A plausible head, with some class means changed and some classes gone."""
    values = dict.fromkeys(TISSUE_CLASSES, 0.35) | {
        "background": 0.01,
        "white_matter": 0.6,
        "grey_matter": 0.45,
        "striatum": 0.5,
        "thalamus": 0.53,
        "pallidum": 0.56,
        "brain_stem": 0.58,
        "csf": 0.15,
        "fat": 0.95,
        "marrow": 0.8,
    }
    values |= means
    errors, fractions = [0.002] * len(TISSUE_CLASSES), [0.06] * len(TISSUE_CLASSES)
    for name in absent:
        errors[CLASS_INDEX[name]], fractions[CLASS_INDEX[name]] = UNKNOWN, SMALLEST_FRACTION
    return TissueStyle(tuple(values[name] for name in TISSUE_CLASSES), tuple(errors), tuple(fractions))


def test_the_same_style_changes_nothing_at_all():
    np.testing.assert_array_equal(exchanged_means(style(), style()), style().means)


def test_a_large_difference_of_a_large_tissue_is_taken_over():
    means = exchanged_means(style(), style(grey_matter=0.3, csf=0.05))
    assert means[GREY_MATTER] == pytest.approx(0.3, abs=0.005)
    assert means[CSF] == pytest.approx(0.05, abs=0.02)


def test_a_difference_as_between_people_of_one_site_changes_next_to_nothing():
    other = {"grey_matter": 0.46, "csf": 0.17, "fat": 1.0, "muscle": 0.37}
    changes = exchanged_means(style(), style(**other)).numpy() - style().means
    for name, mean in other.items():
        k = CLASS_INDEX[name]
        assert abs(changes[k]) <= 0.02 * abs(mean - style().means[k])


def test_a_small_difference_counts_if_others_show_that_the_sites_differ():
    alone = exchanged_means(style(), style(fat=1.02))[FAT]
    with_others = exchanged_means(style(), style(fat=1.02, grey_matter=0.3, csf=0.05))[FAT]
    assert alone - 0.95 < 0.005
    assert with_others - 0.95 > 0.05


@pytest.mark.parametrize(
    ("other", "least", "most"),
    [
        pytest.param({}, 0.0, 0.01, id="the same"),
        pytest.param({"grey_matter": 0.46, "muscle": 0.38}, 0.0, 0.01, id="another person"),
        pytest.param({"grey_matter": 0.36, "muscle": 0.16}, 0.99, 1.0, id="another site"),
        pytest.param({"absent": TISSUE_CLASSES}, 0.45, 0.55, id="nothing tells"),
    ],
)
def test_the_probability_of_two_sites_is_what_the_differences_say(other, least, most):
    assert least <= probability_of_two_sites(style(), style(**other)) <= most


@pytest.mark.parametrize("grey_matter", [0.3, 0.44, 0.5])
def test_both_scans_say_the_same_of_their_sites(grey_matter):
    one, other = style(), style(grey_matter=grey_matter)
    assert probability_of_two_sites(one, other) == pytest.approx(probability_of_two_sites(other, one), abs=1e-12)


def test_deep_tissues_of_unknown_means_change_with_their_intensity_whatever_their_own_means_say():
    means = exchanged_means(style(), style(absent=tuple(DEEP_SPREAD), grey_matter=0.30, thalamus=0.9)).numpy()
    assert means[THALAMUS] < 0.53
    order = [CSF, GREY_MATTER, *DEEP_TISSUES, WHITE_MATTER]
    assert (np.diff(means[order]) >= 0).all()


def test_the_brain_stem_changes_with_its_intensity_whatever_its_own_mean_says():
    other = {"grey_matter": 0.30, "csf": 0.05}
    means, with_own = (exchanged_means(style(), style(**other, **own)) for own in ({}, {"brain_stem": 0.4}))
    np.testing.assert_array_equal(means, with_own)


@pytest.mark.parametrize("name", DEEP_SPREAD)
def test_deep_grey_matter_of_another_site_comes_near_to_what_is_measured_there(name):
    k, other = CLASS_INDEX[name], {"grey_matter": 0.30, "csf": 0.05}
    lines = exchanged_means(style(), style(absent=tuple(DEEP_SPREAD), **other)).numpy()
    unknown = tuple(deep for deep in DEEP_SPREAD if deep != name)
    means = exchanged_means(style(), style(absent=unknown, **other, **{name: float(lines[k]) + 0.04})).numpy()
    assert lines[k] + 0.03 < means[k] < lines[k] + 0.04
    others = np.arange(len(TISSUE_CLASSES)) != k
    np.testing.assert_array_equal(means[others], lines[others])


def test_deep_grey_matter_of_another_person_of_one_site_changes_next_to_nothing():
    changes = exchanged_means(style(), style(grey_matter=0.46, striatum=0.52, thalamus=0.51, pallidum=0.58)).numpy()
    assert np.abs(changes - style().means)[list(DEEP_TISSUES)].max() < 0.001


@pytest.mark.parametrize("error", [0.002, 0.05, UNKNOWN])
def test_deep_grey_matter_follows_its_own_mean_evenly_and_less_the_less_it_is_known(error):
    def found(thalamus):
        target = style(grey_matter=0.30, csf=0.05, thalamus=thalamus)
        errors = list(target.errors)
        errors[THALAMUS] = error
        return float(exchanged_means(style(), TissueStyle(target.means, tuple(errors), target.fractions))[THALAMUS])

    step = 0.01
    slopes = np.diff([found(thalamus) for thalamus in np.arange(0.2, 0.9, step)]) / step
    site = DEEP_SPREAD["thalamus"][1]
    assert slopes.min() >= 0
    assert slopes.max() <= 2 * site**2 / (2 * site**2 + error**2)


def test_deep_grey_matter_stays_between_grey_and_white_matter():
    for deep in (0.1, 0.9):
        other = dict.fromkeys(DEEP_SPREAD, deep)
        means = exchanged_means(style(), style(grey_matter=0.30, csf=0.05, **other)).numpy()[list(DEEP_TISSUES)]
        assert means.min() >= 0.30
        assert means.max() <= 0.6


@pytest.mark.parametrize("seed", range(10))
def test_no_brain_tissue_ends_brighter_than_white_matter_that_was_not(seed):
    numbers = np.random.default_rng(seed)
    csf, grey = sorted(numbers.uniform(0.05, 0.58, 2).tolist())
    deep = {TISSUE_CLASSES[k]: float(numbers.uniform(0.2, 0.9)) for k in DEEP_TISSUES}
    means = exchanged_means(style(), style(csf=csf, grey_matter=grey, **deep)).numpy()
    assert means[list(DEEP_TISSUES)].max() <= means[WHITE_MATTER] + 1e-9


def test_a_tissue_that_the_target_does_not_show_changes_like_the_one_it_is_like():
    means = exchanged_means(style(), style(absent=("fat",), fat=-5.0, marrow=0.3))
    assert means[FAT] - 0.95 == pytest.approx(float(means[MARROW]) - 0.8, abs=0.03)


def test_a_stripped_target_changes_nothing_as_bright_as_white_matter_outside_the_brain():
    outside = ("fat", "marrow", "muscle", "connective_tissue", "mucosa", "bone", "blood", "vitreous")
    means = exchanged_means(style(), style(absent=outside, grey_matter=0.3, **dict.fromkeys(outside, -5.0)))
    assert means[FAT] == pytest.approx(0.95, abs=0.02)


def test_the_background_stays_as_it_is():
    assert exchanged_means(style(), style(background=0.3))[BACKGROUND] == style().means[BACKGROUND]


class TestDistanceOfStyles:
    def test_is_nothing_between_a_style_and_itself_and_the_same_both_ways(self):
        one, other = style(), style(grey_matter=0.5, fat=0.7)
        assert style_distance(one, one) == 0
        assert style_distance(one, other) == pytest.approx(style_distance(other, one))

    def test_is_small_between_people_usual_between_sites_and_large_beyond(self):
        people = style_distance(style(), style(grey_matter=0.46, csf=0.17, fat=1.0))
        sites = style_distance(style(), style(**{name: style().means[k] + s for name, k, s in ONE_DEVIATION}))
        beyond = style_distance(style(), style(**{name: style().means[k] + 5 * s for name, k, s in ONE_DEVIATION}))
        assert people < 0.2
        assert sites == pytest.approx(1, abs=0.05)
        assert beyond == pytest.approx(5, abs=0.25)

    def test_does_not_count_what_one_of_both_does_not_show(self):
        assert style_distance(style(), style(absent=["fat"], fat=0.0)) < 0.05


def test_the_distance_within_a_site_is_in_deviations_of_people_of_one_site():
    means, n = np.full(len(TISSUE_CLASSES), 0.5), len(TISSUE_CLASSES)
    apart = means.copy()
    for name, (person, _) in SPREAD.items():
        apart[CLASS_INDEX[name]] += np.sqrt(2) * person * (1 if name == "fat" else -1)
    a, b = (TissueStyle(tuple(row), (0.01,) * n, (1 / n,) * n) for row in (means, apart))

    assert distance_within_site(a, a) == 0
    assert distance_within_site(a, b) == pytest.approx(1.0)
    assert distance_within_site(b, a) == distance_within_site(a, b)


def test_the_distance_within_a_site_does_not_count_what_one_scan_does_not_show_nor_how_noisy_it_is():
    n, fat = len(TISSUE_CLASSES), CLASS_INDEX["fat"]
    shares = [1 / n] * n
    shares[fat] = 1e-6
    means = [0.5] * n
    means[fat] = 5.0
    plain = TissueStyle((0.5,) * n, (0.01,) * n, (1 / n,) * n)
    stripped = TissueStyle(tuple(means), (0.01,) * n, tuple(shares))
    noisy = TissueStyle(tuple(means), (0.5,) * n, (1 / n,) * n)
    quiet = TissueStyle(tuple(means), (0.0,) * n, (1 / n,) * n)

    assert distance_within_site(plain, stripped) < 0.1 * distance_within_site(plain, quiet)
    assert distance_within_site(plain, noisy) == distance_within_site(plain, quiet)
