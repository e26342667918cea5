from dataclasses import replace
from pathlib import Path

import pytest

from hail_mri.report.study.counts import count_kinds, kind_of, verdict_sentence
from hail_mri.report.study.scans import StudyScan

OK = StudyScan(2, "a.nii", Path("a.nii"), Path("out/a.nii"), status="done", verdict="ok")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        pytest.param({}, "ok", id="done"),
        pytest.param({"status": "done already"}, "ok", id="done already"),
        pytest.param({"verdict": "check"}, "check", id="check"),
        pytest.param({"verdict": "fail"}, "fail", id="fail"),
        pytest.param({"verdict": ""}, "unchecked", id="no checks"),
        pytest.param({"result": None}, "failed", id="done, but the result is lost"),
        pytest.param({"status": "failed", "result": None}, "failed", id="failed"),
        pytest.param({"status": "skipped", "result": None}, "skipped", id="skipped"),
        pytest.param({"status": "nobody's", "result": None}, "failed", id="a status of nobody's"),
    ],
)
def test_what_became_of_a_scan(changes, kind):
    assert kind_of(replace(OK, **changes)) == kind


def test_no_scan_is_left_out_of_the_counts():
    scans = [OK, replace(OK, verdict="check"), replace(OK, status="skipped"), replace(OK, status="failed"), OK]

    assert count_kinds(scans) == {"ok": 2, "check": 1, "fail": 0, "unchecked": 0, "failed": 1, "skipped": 1}


@pytest.mark.parametrize(
    ("scans", "n_outliers", "verdict", "rest"),
    [
        pytest.param([OK, OK], 0, "ok", "All checks are ok.", id="all ok"),
        pytest.param([OK, OK], 1, "check", "1 looks unlike the others of the site.", id="outlier"),
        pytest.param([OK, replace(OK, verdict="check")], 0, "check", "1 is worth a look.", id="check"),
        pytest.param(
            [OK, replace(OK, problems=("x",))], 0, "check", "Of 1 not everything could be read.", id="problem"
        ),
    ],
)
def test_the_sentence_says_how_it_went(scans, n_outliers, verdict, rest):
    assert verdict_sentence(scans, n_outliers) == (verdict, f"2 of 2 scans were harmonized. {rest}")


def test_a_scan_without_a_result_is_said():
    found = verdict_sentence([OK, replace(OK, status="failed"), replace(OK, status="skipped")], 0)

    assert found == ("fail", "1 of 2 scans were harmonized. 1 has no result.")


def test_an_empty_study_is_said():
    assert verdict_sentence([], 0) == ("check", "The table of results lists no scan that was to be harmonized.")


def test_a_result_that_fails_is_not_to_be_used():
    verdict, sentence = verdict_sentence([replace(OK, verdict="fail")], 0)

    assert verdict == "fail"
    assert "1 fails a check and is not to be used without a reason" in sentence
