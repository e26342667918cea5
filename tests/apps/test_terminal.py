import sys

import pytest

from hail_mri.apps.terminal import one_line, progress, say
from hail_mri.errors import HailError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        pytest.param(HailError("a.nii is empty"), "a.nii is empty.", id="without hint"),
        pytest.param(HailError("a.nii is empty.", "Copy it."), "a.nii is empty. Copy it.", id="full stops already"),
        pytest.param(HailError("a.nii\n is  empty", "copy\nit"), "a.nii is empty. Copy it.", id="several lines"),
        pytest.param(HailError("x exists", "--overwrite it"), "x exists. --overwrite it.", id="hint is an option"),
    ],
)
def test_an_error_is_one_line_of_whole_sentences(error, line):
    assert one_line(error) == line


def test_what_is_said_goes_to_stderr(capsys):
    say("warning", "two\nlines")

    assert capsys.readouterr() == ("", "hail-mri: warning: two lines\n")


def test_progress_is_silent_where_nobody_watches(capsys):
    with progress("working", total=2) as advance:
        advance()

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("total", [2, None])
def test_progress_is_shown_on_a_terminal_and_stdout_stays_clean(total, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    with progress("working", total=total) as advance:
        advance()

    out, err = capsys.readouterr()
    assert out == ""
    assert "working" in err
