"""Tables of scores: what is written is read again, and what is not known is n/a and not a number."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.evaluation.score import Score
from hail_mri.evaluation.score_table import format_scores, read_scores, write_scores

HEADING = "method\tpsnr_head\tssim_head\tpsnr_brain\tssim_brain\tnwd_ip\tnwd_tp\n"
SCORES = [
    Score("do nothing (rescaled)", 21.123456789012345, 0.9, 22.0, 0.8, 0.0, 100.0),
    Score("rescan (floor)", math.inf, 1.0, None, None, None, None),
]

numbers = st.none() | st.floats(allow_nan=False)
methods = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1) | st.just('a "b"\tc\nd')


@given(st.lists(st.builds(Score, methods, numbers, numbers, numbers, numbers, numbers, numbers)))
def test_what_is_written_is_read_again_to_the_last_digit(tmp_path_factory, scores):
    path = tmp_path_factory.mktemp("table") / "scores.tsv"
    write_scores(scores, path)
    assert read_scores(path) == scores


def test_file_has_the_headings_of_the_fields_and_na_where_nothing_is_known(tmp_path):
    write_scores(SCORES, tmp_path / "scores.tsv")
    lines = (tmp_path / "scores.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[0] == HEADING
    assert lines[2] == "rescan (floor)\tinf\t1.0\tn/a\tn/a\tn/a\tn/a\n"


def test_pandas_reads_the_same_numbers(tmp_path):
    write_scores(SCORES, tmp_path / "scores.tsv")
    table = pd.read_csv(tmp_path / "scores.tsv", sep="\t")
    assert table["psnr_head"].tolist() == pytest.approx([21.123456789012345, math.inf], rel=1e-14)
    assert table["nwd_tp"].isna().tolist() == [False, True]


def test_table_for_people_says_na_where_nothing_is_known():
    last = format_scores(SCORES).splitlines()[-1]
    assert last.split() == ["rescan", "(floor)", "inf", "1.0000", "n/a", "n/a", "n/a", "n/a"]


def test_table_that_is_there_is_only_replaced_when_asked(tmp_path):
    path = tmp_path / "scores.tsv"
    write_scores(SCORES, path)
    with pytest.raises(OutputExistsError, match="exists"):
        write_scores(SCORES[:1], path)
    assert read_scores(path) == SCORES
    write_scores(SCORES[:1], path, overwrite=True)
    assert read_scores(path) == SCORES[:1]
    assert [p.name for p in tmp_path.iterdir()] == ["scores.tsv"]


def test_score_that_is_nan_is_refused():
    with pytest.raises(InputError, match="ssim_brain of 'ours' is NaN, expected a number, or None"):
        Score("ours", 20.0, 0.9, 20.0, math.nan, 0.0, 100.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "has the columns none, expected method, psnr_head", id="empty"),
        pytest.param(b"method,psnr_head\nours,20\n", "has the columns method,psnr_head, expected", id="commas"),
        pytest.param(HEADING.encode() + b"ours\t20\n", "line 2 has 2 cells, expected 7", id="line cut off"),
        pytest.param(
            HEADING.encode() + b"ours\t20\t\t1\t1\t1\t1\n", "line 2 has 20, , 1, .* expected numbers or n/a", id="blank"
        ),
        pytest.param(HEADING.encode() + b"ours\tnan\t1\t1\t1\t1\t1\n", "line 2 has nan, .* expected numbers", id="NaN"),
        pytest.param(b"\x1f\x8b\x08\xff", "cannot be read as a table", id="no text"),
    ],
)
def test_file_that_is_no_table_of_scores_is_refused_by_name_and_line(tmp_path, content, message):
    path = tmp_path / "scores.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_scores(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_file_that_is_missing_is_said_to_be(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        read_scores(tmp_path / "scores.tsv")
