import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.training.data.scan_split import split_scans, write_split
from hail_mri.training.data.scan_table import read_scan_table


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table, and files for what it names."""

    def write(text, *, absent=()):
        lines = [line.split("\t") for line in text.strip("\n").split("\n")]
        for cells in lines[1:]:
            if len(cells) > 2 and cells[2] and cells[2] not in absent:
                (tmp_path / cells[2]).touch()
        path = tmp_path / "scans.tsv"
        path.write_text(text.strip("\n") + "\n", encoding="utf-8")
        return path

    return write


def text_of(sites, n, *, column=""):
    lines = ["subject\tsite\tpath" + column]
    return "\n".join(lines + [f"{s}{i}\t{s}\t{s}{i}.nii" for s in sites for i in range(n)])


def test_a_table_is_read_and_its_paths_are_taken_from_its_folder(table, tmp_path):
    rows = read_scan_table(table("site\tsubject\tpath\tage\nA\tone\ta.nii\t30\nB\ttwo\tb c.nii\t40"))
    assert [(row.subject, row.site, row.path, row.part) for row in rows] == [
        ("one", "A", tmp_path / "a.nii", None),
        ("two", "B", tmp_path / "b c.nii", None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("subject,site,path\na,A,a.nii", "expected also subject, site, path", id="commas"),
        pytest.param("subject\tpath\na\ta.nii", "expected also site", id="no site"),
        pytest.param("subject\tsite\tpath", "has no scans", id="empty"),
        pytest.param("subject\tsite\tpath\na\t\ta.nii", "line 2: site is empty", id="empty cell"),
        pytest.param("subject\tsite\tpath\na\tA", "line 2: path is empty", id="short line"),
        pytest.param("subject\tsite\tpath\na\tA\ta.nii\nb\tB\ta.nii", "a.nii more than once", id="a scan twice"),
        pytest.param("subject\tsite\tpath\tsplit\na\tA\ta.nii\tteach", "line 2: split is 'teach'", id="split"),
        pytest.param(
            "subject\tsite\tpath\tsplit\na\tA\ta.nii\ttrain\na\tB\tb.nii\ttest", "has a in two splits", id="torn"
        ),
        pytest.param("subject\tsite\tpath\tsplit\na\tA\ta.nii\ttrain\nb\tB\tb.nii\t", "and not of others", id="some"),
    ],
)
def test_tables_that_contradict_themselves_are_refused(table, text, message):
    with pytest.raises(InputError, match=message):
        read_scan_table(table(text))


def test_scans_that_are_not_there_are_named(table):
    with pytest.raises(MissingFileError, match=r"A1\.nii: not there"):
        read_scan_table(table(text_of("AB", 3), absent=("A1.nii",)))
    with pytest.raises(MissingFileError, match=r"nowhere\.tsv does not exist"):
        read_scan_table("nowhere.tsv")


def test_every_site_is_split_by_subject_in_the_papers_proportions(table):
    split = split_scans(read_scan_table(table(text_of("ABC", 10))), held_out=("C",), seed=3)
    for site in "AB":
        n = {part: sum(r.site == site for r in split.of("style", part)) for part in ("train", "validation", "test")}
        assert n == {"train": 7, "validation": 2, "test": 1}
        n = {part: sum(r.site == site for r in split.of("encoder", part)) for part in ("train", "validation", "test")}
        assert n == {"train": 7, "validation": 2, "test": 1}
    for phase in ("encoder", "style"):
        assert all(row.site != "C" for part in ("train", "validation", "test") for row in split.of(phase, part))
    assert {r.subject for r in split.of("encoder", "validation")} <= {
        r.subject for r in split.of("style", "validation")
    }


def test_a_split_depends_on_the_seed_and_not_on_the_order_of_the_table(table):
    rows = read_scan_table(table(text_of("AB", 10)))
    split, again, other = (split_scans(r, held_out=(), seed=s) for r, s in ((rows, 1), (rows[::-1], 1), (rows, 2)))
    assert set(split.of("style", "train")) == set(again.of("style", "train"))
    assert set(split.of("style", "train")) != set(other.of("style", "train"))


def test_one_who_travels_is_in_one_part(table):
    text = text_of("AB", 6) + "\n" + "\n".join(f"A{i}\tB\ttravelled{i}.nii" for i in range(6))
    split = split_scans(read_scan_table(table(text)), held_out=(), seed=1)
    parts = [{row.subject for row in split.of("style", part)} for part in ("train", "validation", "test")]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]


def test_a_split_of_the_labs_own_is_kept(table):
    lines = [f"{s}{i}\t{s}\t{s}{i}.nii\t{part}" for s in "AB" for i, part in enumerate(("test", "train", "validation"))]
    split = split_scans(read_scan_table(table("subject\tsite\tpath\tsplit\n" + "\n".join(lines))), held_out=(), seed=1)
    for phase in ("encoder", "style"):
        assert [row.subject for row in split.of(phase, "train")] == ["A1", "B1"]
        assert [row.subject for row in split.of(phase, "test")] == ["A0", "B0"]


@pytest.mark.parametrize(
    ("sites", "n", "held_out", "message"),
    [
        pytest.param("AB", 1, (), "site A has 1 subject", id="one subject"),
        pytest.param("AB", 4, ("B",), "1 site is left", id="one site"),
        pytest.param("AB", 4, ("D",), "held_out_sites names D", id="a misspelt site"),
    ],
)
def test_what_makes_no_pairs_is_refused(table, sites, n, held_out, message):
    with pytest.raises(InputError, match=message):
        split_scans(read_scan_table(table(text_of(sites, n))), held_out=held_out, seed=1)


def test_a_run_keeps_its_split(table, tmp_path):
    rows = read_scan_table(table(text_of("ABC", 4)))
    path = tmp_path / "run" / "splits.tsv"
    write_split(split_scans(rows, held_out=("C",), seed=1), path, has_begun=True)
    write_split(split_scans(rows, held_out=("C",), seed=1), path, has_begun=True)
    assert path.read_text(encoding="utf-8").count("held out\theld out") == 4
    with pytest.raises(InputError, match="another split"):
        write_split(split_scans(rows, held_out=(), seed=1), path, has_begun=True)


def test_until_a_run_begins_its_table_may_be_mended(table, tmp_path):
    rows = read_scan_table(table(text_of("AB", 4)))
    path = tmp_path / "run" / "splits.tsv"
    write_split(split_scans(rows, held_out=(), seed=1), path, has_begun=False)
    write_split(split_scans(rows[1:], held_out=(), seed=1), path, has_begun=False)
    assert "A0" not in path.read_text(encoding="utf-8")
