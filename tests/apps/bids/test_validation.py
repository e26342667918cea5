import json
import stat

import pytest

from hail_mri.apps.bids.validation import errors_of, find_validator, require_valid
from hail_mri.errors import InputError

needs_validator = pytest.mark.skipif(find_validator() is None, reason="no bids-validator is installed")


@pytest.fixture
def validator(tmp_path):
    """Return a function that makes a program which answers as a validator does."""

    def make(answer: str, status: int = 0):
        path = tmp_path / "validator"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\nexit {status}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


LEGACY = {
    "issues": {
        "errors": [
            {
                "key": "NOT_INCLUDED",
                "files": [{"file": {"relativePath": "/a.txt"}}, {"file": {"relativePath": "/b.txt"}}],
            },
            {"key": "NO_T1W", "files": []},
        ],
        "warnings": [{"key": "NO_AUTHORS", "files": [{"file": None}]}],
    }
}
DENO = {
    "issues": {
        "issues": [
            {"code": "NOT_INCLUDED", "severity": "error", "location": "/a.txt"},
            {"code": "NO_AUTHORS", "severity": "warning", "location": "/x"},
        ]
    }
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(LEGACY, [("NOT_INCLUDED", "/a.txt"), ("NOT_INCLUDED", "/b.txt"), ("NO_T1W", "")], id="Node"),
        pytest.param(DENO, [("NOT_INCLUDED", "/a.txt")], id="Deno"),
    ],
)
def test_both_kinds_of_answers_are_understood(answer, expected, validator, tmp_path):
    assert errors_of(tmp_path, validator("a word before\n" + json.dumps(answer), 16)) == expected


def test_what_is_not_valid_is_refused_with_kinds_and_places(validator, tmp_path):
    with pytest.raises(InputError, match=r"2 NOT_INCLUDED, 1 NO_T1W \(NOT_INCLUDED /a\.txt;") as caught:
        require_valid(tmp_path, validator(json.dumps(LEGACY), 1))

    assert "--skip-bids-validation" in caught.value.hint


def test_a_validator_that_does_not_answer_is_said(validator, tmp_path):
    with pytest.raises(InputError, match=r"gave no answer \(exit status 3\): out of memory"):
        require_valid(tmp_path, validator("out of memory", 3))


@needs_validator
def test_the_official_validator_tells_good_from_bad(make_dataset, make_scan):
    root = make_dataset("CHANGES", "README")
    make_scan(root / "sub-01/anat/sub-01_T1w.nii.gz")
    for name in ("README", "CHANGES"):
        (root / name).write_text("1.0.0 2026-01-01\n - first version of a data set of one scan, for a test\n")

    assert errors_of(root, find_validator()) == []

    (root / "sub-01/anat/sub-01_scan.nii.gz").write_bytes((root / "sub-01/anat/sub-01_T1w.nii.gz").read_bytes())
    assert ("NOT_INCLUDED", "/sub-01/anat/sub-01_scan.nii.gz") in errors_of(root, find_validator())
