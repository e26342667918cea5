import csv

import pytest

from hail_mri.apps.bids.subject_page import write_subject_pages
from hail_mri.apps.result_table import COLUMNS

ROW = dict.fromkeys(COLUMNS, "n/a") | {
    "source": "../raw/sub-01/anat/sub-01_T1w.nii.gz",
    "output": "sub-01/anat/sub-01_desc-harmonized_T1w.nii.gz",
    "subject": "01",
    "target": "../raw/<b>t.nii",
    "status": "done",
    "verdict": "check",
    "message": "check noise",
    "report": "sub-01/anat/sub-01 report.html",
}


@pytest.fixture
def results(tmp_path):
    rows = [ROW, ROW | {"status": "failed", "subject": "01", "report": "n/a"}, ROW | {"subject": "02"}]
    with (tmp_path / "harmonized.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, dialect="excel-tab")
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


def test_each_participant_gets_a_page_with_links_to_reports(results):
    paths = write_subject_pages(results, {"02", "01"})

    assert [path.name for path in paths] == ["sub-01.html", "sub-02.html"]
    html = paths[0].read_text(encoding="utf-8")
    assert "1 of 2 T1-weighted scans are harmonized." in html
    assert 'href="./sub-01/anat/sub-01%20report.html"' in html
    assert html.count(">open<") == 1
    assert "check noise" in html


def test_what_tables_say_is_text(results):
    html = write_subject_pages(results, {"01"})[0].read_text(encoding="utf-8")

    assert "<b>t.nii" not in html
    assert "&lt;b&gt;t.nii" in html


def test_the_same_table_gives_the_same_page(results):
    first = write_subject_pages(results, {"01"})[0].read_bytes()

    assert write_subject_pages(results, {"01"})[0].read_bytes() == first
