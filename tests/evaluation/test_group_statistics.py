"""What is known of groups of results: by hand, on lines whose profiles are made up, and where it cannot be known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hail_mri.evaluation.group_covariate import covariate_numbers
from hail_mri.evaluation.group_means import ADJUSTED, COMMON_MEAN, EFFECT, MEAN, MEDIAN, OVERALL, P_VALUE, group_means
from hail_mri.evaluation.group_probe import CHANCE, group_probes
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.reliability import icc_agreement
from hail_mri.evaluation.score_summary import summarize
from hail_mri.evaluation.site_scans import ProfiledLine, scans_by_target
from hail_mri.evaluation.tissue_profile import HIGH, LOW, N_BINS, TissueProfile
from hail_mri.evaluation.travelling_agreement import travelling_agreement

TISSUES = ("grey matter", "white matter", "csf")


def profiles(scan, volume, mean):
    values = np.random.default_rng(int(1000 * volume)).normal(mean, 0.05, 500)
    counts = tuple(np.histogram(values, bins=N_BINS, range=(LOW, HIGH))[0].tolist())
    return [TissueProfile(scan, tissue, volume, mean, counts) for tissue in TISSUES]


def profiled(subject, site, before, after, *, target="C", method="ours", **others):
    """A line of which volume and mean of every tissue are given, before and after."""
    row = PairRow(2, {"source": Path(f"{subject}{site}")}, method, subject, site, target, others=others)
    return ProfiledLine(row, [*profiles("source", *before), *profiles("harmonized", *after)])


@pytest.fixture
def study():
    """Six subjects at A and B; B sees a tenth more volume and is brighter, and the method makes both alike."""
    sizes = {f"s{n}": 500.0 + 20 * n for n in range(6)}
    return [
        profiled(subject, site, (size * factor, mean), (size, 0.6), age=str(20 + 10 * n))
        for n, (subject, size) in enumerate(sizes.items())
        for site, factor, mean in (("A", 1.0, 0.5), ("B", 1.1, 0.7))
    ]


def find(numbers, statistic, metric=None):
    return next(n for n in numbers if n.statistic == statistic and metric in (None, n.group.metric))


def test_agreement_is_that_of_subjects_by_sites_before_and_after(study):
    found = list(travelling_agreement(study))
    sizes = 500.0 + 20 * np.arange(6)
    expected = icc_agreement(np.column_stack([sizes, 1.1 * sizes]))
    before = find(found, "ICC(2,1) before", "volume")
    assert (before.estimate, before.low, before.high) == (expected.value, expected.low, expected.high)
    assert before.n_subjects == 6
    assert find(found, "ICC(2,1) after", "volume").estimate == pytest.approx(1)
    assert find(found, "within-subject variation after", "volume").estimate == pytest.approx(0, abs=1e-9)
    variation = find(found, "within-subject variation before", "mean intensity").estimate
    assert variation == pytest.approx(100 * np.std([0.5, 0.7], ddof=1) / 0.6)


def test_the_own_scans_of_the_target_site_take_part_as_they_are():
    lines = [profiled("s1", "A", (500, 0.5), (510, 0.6)), profiled("s1", "C", (520, 0.6), (600, 0.9), target="A")]
    brought_to_c = dict(scans_by_target(lines, "ours"))["C"]
    assert [(scan.site, scan.before["csf"].volume_ml, scan.after["csf"].volume_ml) for scan in brought_to_c] == [
        ("A", 500, 510),
        ("C", 520, 520),
    ]


def test_a_probe_tells_the_site_before_and_only_guesses_after(study):
    found = list(group_probes(study))
    assert find(found, "site probe before").estimate == 1
    assert find(found, CHANCE).estimate == 0.5
    after = find(found, "site probe after")
    assert after.low <= 0.5 <= after.high or after.estimate < 0.75


def test_a_probe_names_the_region_that_it_was_shown(study):
    assert {number.group.region for number in group_probes(study)} == {"tissues"}
    of_heads = [
        ProfiledLine(line.row, [replace(p, tissue="head") for p in line.profiles if p.tissue == "csf"])
        for line in study
    ]
    found = list(group_probes(of_heads))
    assert {number.group.region for number in found} == {"head"}
    assert find(found, "site probe before").estimate == 1


def test_an_effect_of_age_is_kept_by_half(study):
    halved = [
        profiled(
            line.row.subject,
            line.row.site,
            (100 + float(line.row.others["age"]), 0.5),
            (100 + float(line.row.others["age"]) / 2, 0.5),
            age=line.row.others["age"],
        )
        for line in study
    ]
    found = list(covariate_numbers(halved, "age"))
    assert find(found, "slope of age before", "volume").estimate == pytest.approx(1)
    assert find(found, "slope of age after", "volume").estimate == pytest.approx(0.5)
    assert find(found, "slope of age, kept", "volume").estimate == pytest.approx(50)


def scores(values, subjects=None, method="ours", direction="A to B", first_pair=0):
    subjects = subjects or [f"s{n}" for n in range(len(values))]
    constant = {"method": method, "direction": direction, "metric": "PSNR", "region": "brain", "unit": "dB"}
    rows = [
        constant | {"subject": s, "value": v, "reason": "", "pair": n}
        for n, (s, v) in enumerate(zip(subjects, values, strict=True), start=first_pair)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def one_direction_missing():
    """Two methods that are equal wherever both were scored, of eight subjects; the second lacks a hard direction."""
    easy, hard = np.arange(20.0, 28), np.arange(5.0, 13)
    return pd.concat(
        [
            scores(easy, method="ours"),
            scores(hard, method="ours", direction="A to C", first_pair=8),
            scores(easy, method="other"),
        ]
    )


def test_methods_that_are_equal_wherever_both_were_scored_do_not_differ(one_direction_missing):
    overall = [n for n in group_means(one_direction_missing) if n.group.direction == OVERALL]
    for statistic in (P_VALUE, ADJUSTED, EFFECT):
        assert find(overall, statistic).estimate is None
        assert find(overall, statistic).reason == "no pair differs"


def test_a_test_is_over_the_pairs_that_both_have_and_says_so(one_direction_missing):
    better = one_direction_missing["value"].where(one_direction_missing["method"] == "ours", lambda v: v + 1)
    overall = [n for n in group_means(one_direction_missing.assign(value=better)) if n.group.direction == OVERALL]
    assert find(overall, EFFECT).estimate == -1  # and not 1, as the means over other pairs say
    assert find(overall, P_VALUE).reason.startswith("over the 8 of 16 pairs of source and target")


def test_means_over_the_pairs_of_all_methods_stand_beside_those_over_others(one_direction_missing):
    overall = [n for n in group_means(one_direction_missing) if n.group.direction == OVERALL]
    means = {(n.statistic, n.group.method): n.estimate for n in overall if n.statistic in (MEAN, COMMON_MEAN)}
    assert means == {
        (MEAN, "ours"): 16,
        (MEAN, "other"): 23.5,
        (COMMON_MEAN, "ours"): 23.5,
        (COMMON_MEAN, "other"): 23.5,
    }
    alike = list(group_means(one_direction_missing[one_direction_missing["direction"] == "A to B"]))
    assert not [n for n in alike if n.statistic == COMMON_MEAN]


def test_a_mean_over_other_pairs_is_marked_in_the_summary(one_direction_missing):
    table = one_direction_missing.assign(line=range(2, 26))
    lines = pd.DataFrame({"line": table["line"], "status": "scored", "message": "", "segmentation": ""})
    sections = summarize(table, lines, list(group_means(table))).split("\n## ")
    overall, a_to_b, a_to_c = sections[1:]
    assert "| ours | 16 | 16 ± 8.1† [" in overall
    assert "| other | 8 | 23.5 ± 2.45 (8 of 16)† [" in overall
    assert "†" not in a_to_b
    assert "†" not in a_to_c.split("\n\n")[1]


def test_means_have_intervals_by_subject_and_methods_are_tested():
    table = pd.concat([scores(range(10, 18), method="first"), scores(range(20, 28), method="better")])
    found = list(group_means(table))
    mean = next(n for n in found if n.statistic == MEAN and n.group.method == "better")
    assert mean.estimate == 23.5
    assert 20 < mean.low < 23.5 < mean.high < 27
    assert find(found, P_VALUE).estimate == find(found, ADJUSTED).estimate == 0.0078125
    assert list(group_means(table)) == found


def test_p_values_are_corrected_over_the_methods_that_are_compared_with_the_first():
    weaker = [20.0, 21, 22, 23, 24, 25, 26, -3]  # one of eight subjects differs the other way, and by most
    values = {"first": range(10, 18), "better": range(20, 28), "worse": range(8), "weaker": weaker}
    found = list(group_means(pd.concat([scores(v, method=name) for name, v in values.items()])))
    p, adjusted = (
        {n.group.method: n.estimate for n in found if n.statistic == statistic} for statistic in (P_VALUE, ADJUSTED)
    )
    assert p == {"better": 0.0078125, "worse": 0.0078125, "weaker": pytest.approx(60 / 256)}  # of all changes of sign
    # statsmodels' multipletests, method "holm": three times the smallest, and the largest as it is
    assert adjusted["better"] == adjusted["worse"] == 3 * 0.0078125
    assert adjusted["weaker"] == p["weaker"]


def test_perfect_results_are_counted_and_are_better_than_all_others():
    table = pd.concat([scores([np.inf] * 8, method="perfect"), scores([20.0] * 7 + [np.inf], method="other")])
    found = list(group_means(table))
    perfect, other = (n for n in found if n.statistic == MEAN)
    assert (perfect.estimate, perfect.reason) == (None, "8 infinite, left out: as of a result that is the truth")
    assert (other.estimate, other.reason) == (20, "1 infinite, left out: as of a result that is the truth")
    assert find(found, P_VALUE).estimate == pytest.approx(2 / 2**7)  # the eighth is a tie
    assert find(found, EFFECT).estimate == 1
    lines = pd.DataFrame({"line": range(16), "status": "scored", "message": "", "segmentation": ""})
    summary = summarize(table.assign(line=range(16)), lines, found)
    assert "| perfect | 8 | ∞ (8 infinite) |" in summary
    assert "| other | 8 | 20 ± 0 (1 infinite) [20, 20]★ |" in summary


LONELY = [profiled("s1", "A", (500, 0.5), (500, 0.6), age="30")]
ONE_SITE = [profiled(f"s{n}", "A", (500 + n, 0.5), (500, 0.6), age="30") for n in range(3)]
NAMELESS = [profiled("", "", (500, 0.5), (500, 0.6), target="", age="old")]


@pytest.mark.parametrize(
    ("numbers", "lines", "reason"),
    [
        pytest.param(travelling_agreement, ONE_SITE, "there is one site only", id="agreement at one site"),
        pytest.param(travelling_agreement, NAMELESS, "no line names subject and site", id="agreement of nobody"),
        pytest.param(
            travelling_agreement,
            [LONELY[0], profiled("s2", "B", (500, 0.5), (500, 0.6))],
            "no subject was scanned at every site",
            id="nobody travels",
        ),
        pytest.param(group_probes, ONE_SITE, "one site only", id="probe at one site"),
        pytest.param(
            group_probes, [LONELY[0], profiled("s1", "B", (500, 0.5), (500, 0.6))], "one subject", id="probe of one"
        ),
        pytest.param(group_probes, NAMELESS, "names subject and site", id="probe of nobody"),
        pytest.param(lambda lines: covariate_numbers(lines, "age"), LONELY, "", id="age of one"),
        pytest.param(lambda lines: covariate_numbers(lines, "age"), ONE_SITE, "constant", id="one age"),
        pytest.param(lambda lines: covariate_numbers(lines, "age"), NAMELESS, "no line has a number", id="no number"),
        pytest.param(
            lambda lines: covariate_numbers(lines, "weight"), ONE_SITE, "no line has a number", id="no column"
        ),
    ],
)
def test_what_cannot_be_known_says_why(numbers, lines, reason):
    found = list(numbers(lines))
    assert found
    missing = [number for number in found if number.estimate is None]
    assert missing
    assert all(number.reason for number in missing)
    assert any(reason in number.reason for number in missing)


def test_one_travelling_subject_has_a_variation_but_no_correlation():
    lines = [profiled("s1", site, (size, 0.5), (500, 0.6)) for site, size in (("A", 490), ("B", 510))]
    found = list(travelling_agreement(lines))
    assert find(found, "within-subject variation before", "volume").estimate == pytest.approx(2.828, abs=1e-3)
    assert "one travelling subject" in find(found, "ICC(2,1) before", "volume").reason


def test_lines_without_subjects_have_a_mean_without_an_interval():
    mean, _ = group_means(scores([1.0, 2.0], ["", ""]))
    assert (mean.estimate, mean.low, mean.reason) == (1.5, None, "the lines name no subjects")


def test_what_is_nowhere_defined_keeps_its_reason():
    table = scores([None, None]).assign(reason="there is no truth")
    for number in group_means(table):
        assert (number.estimate, number.reason) == (None, "there is no truth")


def test_a_median_stands_beside_a_mean_that_one_number_has_thrown_far():
    table = scores([3.0, 4, 5, 2303]).assign(metric="nWD(t,p)", region="head", line=range(2, 6))
    found = list(group_means(table))
    assert find(found, MEDIAN).estimate == 4.5
    lines = pd.DataFrame({"line": table["line"], "status": "scored", "message": "", "segmentation": ""})
    assert "(median 4.5)" in summarize(table, lines, found)


def test_no_line_at_all_is_no_error():
    assert [*group_means(pd.DataFrame()), *travelling_agreement([]), *group_probes([])] == []
