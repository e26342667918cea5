import pytest

from hail_mri.harmonize.check import Check
from hail_mri.report.provenance_section import FileState, provenance_section
from hail_mri.report.scan_record import ScanRecord
from hail_mri.report.trust import Concern, concerns_of, trust_blocks, trust_sentence

OK = Check("head size", "ok", "200 mm", "90 to 300", "is the voxel size right?")
LOOK, FAIL = Concern("check", "something odd"), Concern("fail", "something wrong")

SENTENCES = [
    pytest.param(
        [], "ok", "Nothing was found that speaks against this result: all 2 checks of source and result are ok."
    ),
    pytest.param([LOOK], "check", "Look before you use this result: one thing that was found is worth a look."),
    pytest.param([LOOK, LOOK], "check", "Look before you use this result: 2 things are worth a look."),
    pytest.param([FAIL], "fail", "Do not use this result as it is: one thing speaks against it."),
    pytest.param(
        [FAIL, FAIL, LOOK],
        "fail",
        "Do not use this result as it is: 2 things speak against it, and one thing that was found is worth a look.",
    ),
]


@pytest.mark.parametrize(("concerns", "verdict", "sentence"), SENTENCES)
def test_one_sentence_says_whether_to_trust_a_result(concerns, verdict, sentence):
    assert trust_sentence({"Source": (OK,), "Result": (OK,)}, concerns) == (verdict, sentence)


def test_a_result_that_was_not_checked_is_not_called_ok():
    assert trust_sentence({}, [])[0] == "check"
    assert "the result itself was not" in trust_blocks({"Source": (OK,)}, [])[-1]
    assert len(trust_blocks({"Source": (OK,), "Result": (OK,)}, [])) == 1


def test_checks_warnings_and_a_raw_prediction_count_and_the_worst_comes_first(tmp_path):
    failed = {"name": "fluid", "verdict": "fail", "found": "2", "expected": "at most 1", "hint": "is it T2-weighted?"}
    told = {
        "Warnings": ["both codes are 0"],
        "Checks": {"Source": [{**failed, "verdict": "check"}, {**failed, "verdict": "ok"}], "Target": [failed]},
        "Settings": {"output_mode": "network"},
    }
    found = concerns_of(ScanRecord(told, tmp_path))
    assert [(concern.verdict, concern.text.split(":")[0]) for concern in found] == [
        ("fail", "Target, fluid"),
        ("check", "Source, fluid"),
        ("check", "Warning"),
        ("check", "This is the raw prediction of the network"),
    ]
    assert found[0].text == "Target, fluid: 2, expected at most 1; is it T2-weighted?"


def test_a_verdict_that_nobody_knows_is_taken_for_a_failure(tmp_path):
    told = {"Checks": {"Source": [{"name": "a", "verdict": "fine, believe me"}]}}
    assert trust_sentence({"Source": (OK,)}, concerns_of(ScanRecord(told, tmp_path)))[0] == "fail"


def test_letters_that_nobody_sees_are_written_out_on_the_first_screen():
    blocks = trust_blocks({}, [Concern("check", "Warning: a\u202egz.iin <b>")])
    assert "\u202e" not in "".join(blocks)
    assert "a\\u202egz.iin &lt;b&gt;" in "".join(blocks)


def test_letters_that_nobody_sees_are_written_out_beside_hashes(tmp_path):
    section = provenance_section(ScanRecord({}, tmp_path), [FileState("Source", "a.nii.gz", "12\u202e34", "as it was")])
    assert "\u202e" not in "".join(section.blocks)
    assert '<span class="hash">12\\u202e34</span>' in "".join(section.blocks)
