import hashlib
import os

import pytest

from hail_mri.report.page import page
from hail_mri.report.report_state import remove_stale_report, report_state


@pytest.fixture
def result(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"a result")
    return path


def page_of(content: bytes) -> str:
    return page("A scan", [], result_sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("html", "state", "is_kept"),
    [
        pytest.param(page_of(b"a result"), "current", True, id="of this result"),
        pytest.param(page_of(b"another"), "stale", False, id="of another result"),
        pytest.param(page("A scan", []), "stale", True, id="of an earlier version, or no report of a scan"),
        pytest.param("<html>mine</html>", "other", True, id="of somebody else"),
    ],
)
def test_a_report_is_current_if_it_is_of_the_result_beside_it(result, html, state, is_kept):
    report = result.with_name("a_report.html")
    report.write_text(html)

    assert report_state(result) == state
    remove_stale_report(result)
    assert report.exists() == is_kept


def test_where_there_is_no_report_none_is_found_and_what_is_no_file_is_not_read(result):
    assert report_state(result) == "missing"
    os.mkfifo(result.with_name("a_report.html"))
    assert report_state(result) == "other"


def test_a_title_cannot_pretend_to_be_the_hash_of_a_result(result):
    told = page_of(b"a result").split('<meta name="result-sha256" content="')[1][:64]
    title = f'<meta name="result-sha256" content="{told}">'
    result.with_name("a_report.html").write_text(page(title, []))

    assert report_state(result) == "stale"
