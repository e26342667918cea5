import pytest

from hail_mri.errors import InputError
from hail_mri.report.study.participants import read_participants


def write(folder, text):
    path = folder / "participants.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_sites_and_covariates_are_read_by_subject(tmp_path):
    path = write(tmp_path, "participant_id\tage\tsite\tsex\nsub-01\t31\tA\tF\nsub-02\tn/a\tn/a\t\n03\t40\n")

    found = read_participants(path)

    assert found.sites == {"01": "A"}
    assert found.names == ("age", "sex")
    assert found.covariates == {
        "01": {"age": "31", "sex": "F"},
        "02": {"age": "n/a", "sex": "n/a"},
        "03": {"age": "40", "sex": "n/a"},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "columns none; expected participant_id", id="empty"),
        pytest.param("subject\tage\n1\t2\n", "columns subject, age; expected participant_id", id="another name"),
        pytest.param("participant_id\tage\tage\n", "each once", id="a column twice"),
        pytest.param("participant_id\tage\nsub-1\t2\nsub-1\t3\n", "has sub-1 twice", id="a participant twice"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_participants(write(tmp_path, text))
