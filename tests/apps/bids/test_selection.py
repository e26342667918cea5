import json

import pytest

from hail_mri.apps.bids.dataset import open_dataset
from hail_mri.apps.bids.selection import read_filter, select
from hail_mri.errors import InputError, MissingFileError

pytest.importorskip("bids2table")


@pytest.fixture
def chosen(two_sites, tmp_path):
    """Return a function that selects scans of the data set, and returns where they are."""

    def choose(participants=(), sessions=(), filters=None):
        path = None
        if filters is not None:
            path = tmp_path / "filter.json"
            path.write_text(json.dumps(filters))
        selection = select(open_dataset(two_sites), participants, sessions, read_filter(path))
        return [f"{scan.subject}/{scan.session}" for scan in selection.scans]

    return choose


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["01/1", "01/2", "02/1", "03/1"], id="all"),
        pytest.param({"participants": ["02"]}, ["02/1"], id="a label"),
        pytest.param({"participants": ["sub-01", "02", "01"]}, ["01/1", "01/2", "02/1"], id="with and without sub-"),
        pytest.param({"sessions": ["ses-2"]}, ["01/2"], id="a session"),
        pytest.param({"participants": ["01"], "sessions": ["1"]}, ["01/1"], id="both"),
        pytest.param({"filters": {"t1w": {"acquisition": "a"}}}, ["02/1"], id="in full"),
        pytest.param({"filters": {"t1w": {"acq": "*"}}}, ["02/1"], id="any"),
        pytest.param({"filters": {"t1w": {"acq": None}}}, ["01/1", "01/2", "03/1"], id="none"),
        pytest.param({"filters": {"t1w": {"acq": ["a", None], "session": [1]}}}, ["01/1", "02/1", "03/1"], id="lists"),
        pytest.param({"filters": {"t1w": {"session": "01"}}}, ["01/1", "02/1", "03/1"], id="01 is 1"),
        pytest.param(
            {"filters": {"t1w": {"suffix": "T1w", "datatype": "anat"}, "bold": {}}},
            ["01/1", "01/2", "02/1", "03/1"],
            id="of course",
        ),
    ],
)
def test_scans_are_selected_by_what_is_asked_for(asked, expected, chosen):
    assert chosen(**asked) == expected


def test_a_participant_without_such_a_scan_is_said_not_lost(two_sites):
    selection = select(open_dataset(two_sites), sessions=["2"])

    assert [path.name for path, _ in selection.skipped] == ["sub-02", "sub-03"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(
            {"participants": ["01", "09"]}, "no participant is called 09; the data set has 01, 02, 03", id="participant"
        ),
        pytest.param({"sessions": ["3"]}, "no session is called 3; the data set has 1, 2", id="session"),
        pytest.param(
            {"participants": ["02"], "sessions": ["2"]},
            "has 1 T1w scans of these participants, but none",
            id="none left",
        ),
        pytest.param({"filters": {"bold": {}}}, "has no entry 't1w'", id="no t1w"),
        pytest.param({"filters": {"t1w": []}}, "t1w is \\[\\], expected an object", id="a list"),
        pytest.param({"filters": {"t1w": {"aquisition": "a"}}}, "'aquisition' is unknown", id="misspelt"),
        pytest.param({"filters": {"t1w": {"acq": {"a": 1}}}}, "acq is .*, expected a label", id="an object"),
        pytest.param({"filters": {"t1w": {"acq": True}}}, "acq is True, expected a label", id="true"),
        pytest.param({"filters": {"t1w": {"suffix": "T2w"}}}, "suffix is 'T2w', expected 'T1w'", id="T2w"),
    ],
)
def test_what_cannot_be_selected_is_refused(asked, said, chosen):
    with pytest.raises(InputError, match=said):
        chosen(**asked)


def test_a_filter_file_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingFileError):
        read_filter(tmp_path / "gone.json")


def test_a_misspelt_entity_gets_a_suggestion(tmp_path):
    (tmp_path / "f.json").write_text('{"t1w": {"aquisition": "a"}}')

    with pytest.raises(InputError) as caught:
        read_filter(tmp_path / "f.json")

    assert caught.value.hint == "did you mean acquisition?"
