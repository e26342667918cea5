"""Reliability against the table of Shrout and Fleiss, pingouin's numbers, linear models, and degenerate tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import variation

from hail_mri.errors import InputError
from hail_mri.evaluation.reliability import icc_agreement, icc_consistency, within_subject_variation

ICCS = [icc_agreement, icc_consistency]

# Shrout and Fleiss 1979, table 2: six targets by four judges.
PUBLISHED = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Seven travelling subjects at three sites, ml; random, with an offset of each site.
VOLUMES = [
    [461.0, 465.8, 478.9],
    [452.0, 457.8, 451.1],
    [479.9, 488.6, 504.0],
    [503.0, 519.4, 541.4],
    [535.5, 549.1, 568.7],
    [502.4, 498.6, 521.7],
    [459.7, 485.3, 485.9],
]

tables = arrays(float, st.tuples(st.integers(2, 6), st.integers(2, 5)), elements=st.integers(1, 60).map(float))


def by_least_squares(table):
    """Return both coefficients from the sums of squares of nested linear models."""
    n, k = table.shape
    y = table.ravel()
    subjects, sites = np.kron(np.eye(n), np.ones((k, 1))), np.kron(np.ones((n, 1)), np.eye(k))

    def left(*columns):
        design = np.column_stack([np.ones(n * k), *columns])
        return np.sum((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2)

    bms = (left(sites) - left(subjects, sites)) / (n - 1)
    jms = (left(subjects) - left(subjects, sites)) / (k - 1)
    ems = left(subjects, sites) / ((n - 1) * (k - 1))
    return (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n), (bms - ems) / (bms + (k - 1) * ems)


@pytest.mark.parametrize(
    ("icc", "table", "expected"),
    [
        # Value, low, high by pingouin 0.7.0, intraclass_corr; Shrout and Fleiss 1979, table 4, have 0.29 and 0.71.
        pytest.param(icc_agreement, PUBLISHED, (0.289763779528, 0.02, 0.76), id="ICC(2,1), published"),
        pytest.param(icc_consistency, PUBLISHED, (0.714840714841, 0.34, 0.95), id="ICC(3,1), published"),
        pytest.param(icc_agreement, VOLUMES, (0.858277090775, 0.36, 0.97), id="ICC(2,1), volumes"),
        pytest.param(icc_consistency, VOLUMES, (0.945961120752, 0.82, 0.99), id="ICC(3,1), volumes"),
    ],
)
def test_published_values_and_intervals_are_met(icc, table, expected):
    found = icc(table)
    assert found.value == pytest.approx(expected[0], abs=1e-11)
    assert (found.low, found.high) == pytest.approx(expected[1:], abs=0.0051)  # two decimals are given


@given(tables)
def test_values_agree_with_nested_linear_models(table):
    found = icc_agreement(table), icc_consistency(table)
    if any(icc.reason for icc in found):
        return
    assert [icc.value for icc in found] == pytest.approx(by_least_squares(table), abs=1e-6)


@given(tables)
def test_value_lies_in_its_interval(table):
    for icc in ICCS:
        found = icc(table)
        if not found.reason and found.value > 0:  # below 0 the interval of agreement, an approximation, is of no use
            assert found.low <= found.value + 1e-9
            assert found.value <= found.high + 1e-9


@pytest.mark.parametrize("icc", ICCS)
def test_order_of_subjects_and_sites_does_not_matter(icc):
    table = np.array(VOLUMES)
    assert icc(table[::-1, [2, 0, 1]]).value == pytest.approx(icc(table).value, abs=1e-12)


@pytest.mark.parametrize("icc", ICCS)
@pytest.mark.parametrize(("factor", "offset"), [(1e-3, 0), (-2, 100), (1, 1e4)])
def test_unit_does_not_matter(icc, factor, offset):
    assert icc(np.array(VOLUMES) * factor + offset).value == pytest.approx(icc(VOLUMES).value, abs=1e-9)


def test_offset_of_a_site_lowers_agreement_and_not_consistency():
    shifted = np.add(VOLUMES, (0, 0, 80))
    assert icc_consistency(shifted).value == pytest.approx(icc_consistency(VOLUMES).value, abs=1e-12)
    assert icc_agreement(shifted).value < icc_agreement(VOLUMES).value - 0.2


def test_equal_sites_agree_perfectly_and_have_no_interval():
    table = np.repeat([[1.0], [2.0], [7.3]], 3, axis=1)
    for icc in ICCS:
        found = icc(table)
        assert (found.value, found.low) == (pytest.approx(1), None)
        assert "no error" in found.reason


def test_subjects_that_are_all_alike_do_not_agree():
    sites_only = np.tile([1.0, 2.0, 4.0], (5, 1))
    assert icc_agreement(sites_only).value == 0
    assert icc_consistency(sites_only).value is None


@pytest.mark.parametrize(
    ("table", "value", "reason"),
    [
        pytest.param([[1, 2], [2, 1]], None, "no variance to share out", id="neither subjects nor sites differ"),
        pytest.param([[1, 3], [2, 2]], -1, "no interval", id="subjects do not differ"),
    ],
)
def test_table_of_noise_alone_says_what_is_undefined(table, value, reason):
    found = icc_agreement(table)
    assert (found.value, found.low, found.high) == (value, None, None)
    assert reason in found.reason


@pytest.mark.parametrize("icc", ICCS)
def test_constant_table_is_undefined(icc):
    found = icc(np.full((4, 3), 0.1))
    assert (found.value, found.reason) == (None, "there is no variance among subjects, nor any error")


@given(arrays(float, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(1, 1e3)))
def test_variation_agrees_with_scipy(table):
    expected = 100 * np.sqrt(np.mean(variation(table, axis=1, ddof=1) ** 2))
    assert within_subject_variation(table).value == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_variation_of_two_sites_is_their_difference_by_root_two():
    assert within_subject_variation([[98.0, 102.0]]).value == pytest.approx(4 / np.sqrt(2))


def test_variation_around_zero_is_undefined():
    assert within_subject_variation([[1.0, 2.0], [-1.0, 1.0]]).reason == "the mean of a subject is not above 0"


@pytest.mark.parametrize("measure", [*ICCS, within_subject_variation])
@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param([[1.0], [2.0]], "by 2 sites", id="one site"),
        pytest.param([1.0, 2.0], "by 2 sites", id="no table"),
        pytest.param(np.empty((0, 3)), "subjects by", id="no subject"),
        pytest.param([[1.0, 2.0], [np.nan, 3.0]], "not finite", id="missing"),
    ],
)
def test_what_is_no_table_is_refused(measure, table, message):
    with pytest.raises(InputError, match=message) as caught:
        measure(table)
    assert caught.value.hint


@pytest.mark.parametrize("icc", ICCS)
def test_one_subject_has_no_correlation_and_a_level_is_a_share(icc):
    with pytest.raises(InputError, match="at least 2 subjects"):
        icc([[1.0, 2.0]])
    with pytest.raises(InputError, match="between 0 and 1"):
        icc(VOLUMES, level=95)


def test_an_interval_that_does_not_exist_is_left_out_and_says_why():
    found = icc_agreement([[791.8, 643.456], [754.544, 700.744]])
    assert found.value == pytest.approx(-0.2069, abs=1e-4)
    assert (found.low, found.high) == (None, None)
    assert "degrees of freedom" in found.reason
