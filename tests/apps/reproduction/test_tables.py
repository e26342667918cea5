"""Tables and pattern from made-up scores."""

import pandas as pd
import pytest

from hail_mri.apps.reproduction.markdown import all_methods, beside_published, paper_table
from hail_mri.apps.reproduction.paper_form import (
    OVER_DIRECTIONS,
    OVER_GROUPS,
    SEEN_AVERAGE,
    UNSEEN_AVERAGE,
    method_cells,
    printed,
    with_averages,
)
from hail_mri.apps.reproduction.pattern import CLAIMS, find
from hail_mri.apps.reproduction.published import DIRECTIONS, SEEN, UNSEEN
from hail_mri.apps.reproduction.report import PUBLISHED, tables_of

HAIL, LIU, WITHOUT = "HAIL", "Liu et al.", "HAIL without consistency"


def scores(method, value, *, n_subjects=6, directions=DIRECTIONS, metric="nWD(i,p)", region="head"):
    """Return a number for each direction and subject; subjects differ by 1."""
    columns = ["method", "subject", "direction", "metric", "region", "value"]
    rows = [
        (method, f"sub-{n}", direction, metric, region, value(direction) + n)
        for direction in directions
        for n in range(n_subjects)
    ]
    return pd.DataFrame(rows, columns=columns)


def row_of(table, name):
    return next(line for line in table.splitlines() if line.startswith(f"| {name} |"))


def test_overall_is_taken_in_both_ways():
    rows = with_averages(method_cells(scores(HAIL, lambda d: 90.0 if d in SEEN else 60.0, n_subjects=1), HAIL))
    found = [rows[name][0].mean for name in (SEEN_AVERAGE, UNSEEN_AVERAGE, OVER_DIRECTIONS, OVER_GROUPS)]
    assert found == [90.0, 60.0, 70.0, 75.0]


def test_an_average_with_a_direction_missing_is_none():
    rows = with_averages(method_cells(scores(HAIL, lambda _: 90.0, directions=("A to B", "A to C")), HAIL))
    assert rows["A to B"][0] is not None
    assert all(rows[name][0] is None for name in (SEEN_AVERAGE, UNSEEN_AVERAGE, OVER_DIRECTIONS, OVER_GROUPS))


def test_a_cell_is_mean_and_deviation_over_subjects_and_what_is_missing_is_not_available():
    tables = {HAIL: with_averages(method_cells(scores(HAIL, lambda _: 90.0, n_subjects=3), HAIL))}
    line = row_of(paper_table(tables, (HAIL, LIU)), "A to B")
    assert line.split(" | ")[1:4] == ["91.00 ± 1.00", "n/a", "n/a"]


@pytest.mark.parametrize(
    ("n_subjects", "starred"),
    [
        pytest.param(5, False, id="five subjects cannot have a star"),
        pytest.param(6, True, id="six that all differ in one direction can"),
    ],
)
def test_a_star_is_for_a_difference_over_subjects(n_subjects, starred):
    both = [scores(name, lambda _, v=v: v, n_subjects=n_subjects) for name, v in ((HAIL, 90.0), (LIU, 70.0))]
    tables = tables_of(pd.concat(both))
    assert tables[LIU]["A to B"][0].starred is starred
    assert not tables[HAIL]["A to B"][0].starred
    assert ("★" in paper_table(tables, (HAIL, LIU))) is starred


def test_methods_that_do_not_differ_have_no_star():
    tables = tables_of(pd.concat([scores(HAIL, lambda _: 90.0), scores(LIU, lambda _: 90.0)]))
    assert not tables[LIU]["A to B"][0].starred


def test_ours_stand_before_the_published_numbers():
    tables = tables_of(scores(HAIL, lambda _: 50.0, n_subjects=1))
    line = row_of(beside_published(tables, PUBLISHED, (HAIL, LIU)), "A to B")
    assert line.split(" | ")[1:3] == ["50.00 / 92.27", "n/a / 90.63"]


def test_all_methods_are_listed_with_or_without_numbers():
    found = scores("min-max", lambda _: 10.0, n_subjects=1, metric="PSNR", region="brain")
    table = all_methods(found, ("HAIL", "min-max"), UNSEEN_AVERAGE)
    assert row_of(table, "min-max").count("10.00") == 1
    assert row_of(table, "HAIL").count("n/a") == 12


def test_the_whole_image_stands_beside_the_head():
    both = [
        scores("HAIL", lambda _, v=v: v, n_subjects=1, region=region) for region, v in (("head", 80), ("image", 70))
    ]
    table = all_methods(pd.concat(both), ("HAIL",), UNSEEN_AVERAGE)
    cells = dict(zip(table.splitlines()[0].split(" | "), row_of(table, "HAIL").split(" | "), strict=True))
    assert (cells["nWD(i,p) %"], cells["nWD(i,p) image %"]) == ("80.0", "70.0")


def test_the_published_numbers_show_every_claim():
    assert {find(claim, PUBLISHED).verdict for claim in CLAIMS} == {"seen"}


def test_a_claim_about_a_method_without_numbers_is_not_measurable():
    only_hail = {HAIL: PUBLISHED[HAIL]}
    verdicts = {find(claim, only_hail).verdict for claim in CLAIMS if LIU in (claim.smaller[0], claim.larger[0])}
    assert verdicts == {"not measurable"}


def test_a_claim_is_not_seen_where_the_numbers_say_the_opposite():
    exchanged = {**PUBLISHED, HAIL: PUBLISHED[WITHOUT], WITHOUT: PUBLISHED[HAIL]}
    verdicts = {find(claim, exchanged).verdict for claim in CLAIMS if WITHOUT in (claim.smaller[0], claim.larger[0])}
    assert verdicts == {"not seen"}


@pytest.mark.parametrize(
    ("better", "worse", "verdict"),
    [
        pytest.param(95.0, 80.0, "seen", id="both before the target"),
        pytest.param(104.0, 93.0, "seen", id="beyond it, but nearer"),
        pytest.param(104.0, 130.0, "seen", id="both beyond it"),
        pytest.param(112.0, 93.0, "overshoot", id="beyond it, and farther"),
        pytest.param(150.0, 130.0, "overshoot", id="both beyond it, the larger farther"),
        pytest.param(80.0, 95.0, "not seen", id="the smaller before it"),
        pytest.param(80.0, 130.0, "seen", id="less far from it"),
        pytest.param(60.0, 130.0, "not seen", id="farther from it, on the other side"),
    ],
)
def test_a_claim_about_the_way_gone_is_not_seen_for_going_beyond_the_target(better, worse, verdict):
    both = [scores(name, lambda _, v=v: v, n_subjects=1) for name, v in ((HAIL, better), (LIU, worse))]
    claim = next(c for c in CLAIMS if c.text == "nWD(i,p) at unseen sites: HAIL is better than Liu et al.")
    assert find(claim, tables_of(pd.concat(both))).verdict == verdict


def test_every_claim_of_section_3_3_is_looked_for():
    texts = [claim.text for claim in CLAIMS if claim.section == "3.3"]
    assert "rAVD(GM) at seen sites: HAIL is better than Liu et al." in texts
    assert "rAVD(WM) at seen sites: HAIL is better than Liu et al." in texts


def test_numbers_are_rounded_as_in_the_paper():
    assert [printed(value) for value in (6.885, 88.455, 94.22)] == ["6.89", "88.46", "94.22"]
    assert len(UNSEEN) == 4
