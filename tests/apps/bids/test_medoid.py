"""The target that is chosen by itself: by several processes, kept for the next time, and told by a dry run."""

from pathlib import Path

import pytest

pytest.importorskip("bids2table")

AUTO = ("--target", "auto", "--participant-label", "03")


@pytest.fixture
def split(app):
    """Return a function that says which participants are tested."""

    def write(*tested: str) -> None:
        rows = [("participant_id", "split")]
        rows += [(f"sub-{name}", "test" if name in tested else "train") for name in ("01", "02", "03")]
        (app.root / "participants.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))

    return write


def test_a_dry_run_says_among_which_scans_a_target_is_chosen_until_it_is_known(app, split, tmp_path, tree, capsys):
    split("02")
    assert app.run(*AUTO, "--dry-run") == 0
    before = capsys.readouterr()
    said = (
        "target: to be chosen among 2 scans of the data set, once they are measured; 1 scans of test subjects are not"
    )
    assert said in before.err

    assert app.run(*AUTO) == 0
    capsys.readouterr()
    files = tree(tmp_path)
    assert app.run(*AUTO, "--dry-run") == 0

    after = capsys.readouterr()
    target = Path(after.out.splitlines()[1].split("\t")[2])
    assert target == (app.output / app.rows[0]["target"]).resolve()
    assert "to be chosen" not in after.err
    assert tree(tmp_path) == files


@pytest.mark.parametrize("kept", [False, True])
def test_a_site_of_test_subjects_alone_is_warned_of_by_a_dry_run(kept, app, split, capsys):
    split("01", "02", "03")
    if kept:
        assert app.run(*AUTO) == 0
        capsys.readouterr()

    assert app.run(*AUTO, "--dry-run") == 0

    will_be = "will be among the test subjects: all 3 scans of the data set are of such"
    assert ("is among the test subjects" if kept else will_be) in capsys.readouterr().err


def test_several_processes_measure_the_same_bits_which_are_kept(app, tmp_path):
    two = type(app)(app.root, tmp_path / "two")
    assert app.run(*AUTO) == 0
    assert two.run(*AUTO, "--nprocs", "2") == 0

    assert (two.output / "target_all.tsv").read_bytes() == (app.output / "target_all.tsv").read_bytes()
    assert two.result("03").read_bytes() == app.result("03").read_bytes()
    styles = sorted((two.output / ".hail-mri/styles").iterdir())
    assert [path.name for path in styles] == sorted(path.name for path in (app.output / ".hail-mri/styles").iterdir())
    assert len(styles) == 6
    kept = [path.stat().st_mtime_ns for path in styles]

    styles[1].unlink()  # as by a run that was killed
    assert two.run(*AUTO, "--nprocs", "2") == 0

    changed = [path for path, time in zip(styles, kept, strict=True) if path.stat().st_mtime_ns != time]
    assert [path.name.split(".")[0] for path in changed] == [styles[0].name.split(".")[0]] * 2
