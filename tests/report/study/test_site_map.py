import numpy as np
import pytest

from hail_mri.report.study.site_map import MAP_FEATURES, look_of, looks_of, site_map


def states(entries):
    return [e.measures.before for e in entries], [e.measures.after for e in entries]


def spread_of_sites(places, n_sites=3):
    middles = places.reshape(n_sites, -1, 2).mean(axis=1)
    return np.linalg.norm(middles - middles.mean(axis=0), axis=1).mean()


def test_a_look_does_not_depend_on_the_scanners_unit(make_entries):
    numbers = make_entries(1, 1)[0].measures.before

    louder = {name: 7 * value for name, value in numbers.items()}

    assert look_of(louder) == pytest.approx(look_of(numbers))
    assert np.isfinite(look_of(numbers)).all()


@pytest.mark.parametrize("white", [0.0, -3.0, float("nan")])
def test_without_white_matter_there_is_no_look(white):
    assert np.isnan(look_of(dict.fromkeys(MAP_FEATURES, 1.0) | {"white_matter_median": white})).all()


def test_sites_lie_apart_before_and_together_after(make_entries):
    looks = looks_of(*states(make_entries()))
    found = site_map(looks.before, looks.after)

    assert looks.is_there.all()
    assert spread_of_sites(found.before) > 3 * spread_of_sites(found.after)
    assert 1 >= found.explained[0] >= found.explained[1] > 0


def test_scans_that_were_not_measured_are_left_out(make_entries):
    first, second = states(make_entries(2, 6))
    first[3], second[3] = {}, {}

    looks = looks_of(first, second)

    assert np.flatnonzero(~looks.is_there).tolist() == [3]
    assert len(looks.before) == len(looks.after) == 11


def test_a_tissue_that_no_slab_shows_is_no_feature_and_one_scan_without_it_is_no_scan(make_entries):
    first, second = states(make_entries(2, 6))
    for numbers in first:
        numbers["brain_stem_median"] = float("nan")
    second[0]["deep_csf_p10"] = float("nan")

    looks = looks_of(first, second)

    assert looks.before.shape == (11, len(MAP_FEATURES) - 1)
    assert looks.names == tuple(name for name in MAP_FEATURES if name != "brain_stem_median")
    assert not looks.is_there[0]


def test_nothing_measured_is_no_map():
    looks = looks_of([{}, {}], [{}, {}])

    assert site_map(looks.before, looks.after) is None
    assert not looks.is_there.any()


@pytest.mark.parametrize(
    "looks",
    [pytest.param(np.ones((5, 4)), id="all alike"), pytest.param(np.arange(8.0).reshape(2, 4), id="two scans")],
)
def test_there_is_no_map_of_too_little(looks):
    assert site_map(looks, looks) is None
