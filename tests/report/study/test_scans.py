import hashlib
import json
import re

import pytest

from hail_mri.harmonize.check import Check
from hail_mri.report.page import page
from hail_mri.report.study.result_rows import ResultRow
from hail_mri.report.study.scans import study_scan

DONE = {"source": "../in/sub-01_ses-b_T1w.nii.gz", "output": "a.nii.gz", "status": "done"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/sub-01_ses-b_T1w.nii.gz").write_bytes(b"scan")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.nii.gz").write_bytes(b"result")
    return tmp_path / "out"


def scan_of(folder, **cells):
    return study_scan(ResultRow(2, DONE | cells), folder)


def test_a_scan_is_what_table_and_sidecar_tell(folder, write_sidecar):
    check = Check("brightness", "check", "3", "at most 2", "dim it")
    write_sidecar(folder / "a.json", check)
    (folder / "a_report.html").write_text("<p>")

    scan = scan_of(folder, site="A", seconds="1.5")

    assert (scan.subject, scan.session, scan.site, scan.verdict) == ("01", "b", "A", "check")
    assert scan.checks == (("Source", check),)
    assert scan.report == "a_report.html"
    assert scan.made_with == "hail-mri 0.1.0, model compact, weights abababababab"
    assert scan.problems == ()


@pytest.mark.parametrize(("content", "report"), [(b"result", "a_report.html"), (b"another", "")])
def test_a_report_beside_a_result_is_linked_only_if_it_is_of_that_result(folder, content, report):
    html = page("A scan", [], result_sha256=hashlib.sha256(content).hexdigest())
    (folder / "a_report.html").write_text(html)

    assert scan_of(folder).report == report


def test_the_table_is_believed_before_the_name_and_the_sidecar(folder, write_sidecar):
    write_sidecar(folder / "a.json")

    scan = scan_of(folder, subject="sub-07", session="ses-2", verdict="fail", target="B.nii", version="9.9")

    assert (scan.subject, scan.session, scan.verdict, scan.target) == ("07", "2", "fail", "B.nii")
    assert scan.made_with.startswith("hail-mri 9.9,")


def test_sites_of_participants_are_taken_where_the_table_has_none(folder):
    rows = ResultRow(2, DONE), ResultRow(3, DONE | {"site": "B"})

    assert [study_scan(row, folder, {"01": "A"}).site for row in rows] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{", "damaged", id="cut short"),
        pytest.param("[1]", "no sidecar of ours", id="a list"),
        pytest.param("[" * 100_000, "damaged", id="too deep"),
    ],
)
def test_a_sidecar_that_cannot_be_read_is_named(folder, text, words):
    (folder / "a.json").write_text(text)

    (problem,) = scan_of(folder).problems

    assert problem.startswith("sidecar: ")
    assert words in problem


def test_a_sidecar_with_odd_parts_is_read_as_far_as_it_goes(folder):
    odd = {"Checks": {"Source": [{"verdict": "ok"}, {"verdict": ["x"]}, 1, {"verdict": "bad"}]}, "Settings": 3}
    (folder / "a.json").write_text(json.dumps(odd))

    scan = scan_of(folder)

    assert [check.verdict for _, check in scan.checks] == ["ok"]
    assert scan.problems == ()


def test_a_sidecar_that_leads_out_of_the_folder_is_not_read(folder, tmp_path):
    (tmp_path / "secret.json").write_text('{"Target": "secret"}')
    (folder / "a.json").symlink_to(tmp_path / "secret.json")

    scan = scan_of(folder)

    assert scan.target == ""
    assert "leads out of the folder" in scan.problems[0]


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        pytest.param({"source": "../in/gone.nii"}, "source: .*gone.nii does not exist", id="no source"),
        pytest.param({"output": "b.nii.gz"}, "result: .*b.nii.gz does not exist", id="no result"),
        pytest.param({"output": "../in/sub-01_ses-b_T1w.nii.gz"}, "result: .*leads out", id="a result elsewhere"),
        pytest.param({"report": "javascript:alert(1)"}, "report: .*does not exist", id="a script for a report"),
        pytest.param({"report": "../../../etc/passwd"}, "report: .*leads out", id="a report elsewhere"),
        pytest.param({"report": "a.nii.gz"}, "report: .*called otherwise", id="a report that is none"),
    ],
)
def test_what_a_table_should_not_name_is_a_problem_and_no_error(folder, write_sidecar, cells, problem):
    write_sidecar(folder / "a.json")

    scan = scan_of(folder, **cells)

    assert any(re.search(problem, told) for told in scan.problems)
    assert scan.report == ""


def test_of_a_scan_that_failed_no_result_is_looked_for(folder):
    scan = scan_of(folder, status="failed", output="b.nii.gz", message="too dark")

    assert (scan.result, scan.problems, scan.message) == (None, (), "too dark")
