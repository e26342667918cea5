import pytest

pytest.importorskip("bids2table")


@pytest.mark.parametrize(
    "options",
    [
        ("--reports-only",),
        ("--no-reports",),
        ("--participant-label", "01"),
        ("--session-id", "1"),
        ("--bids-filter-file", "f.json"),
        ("--target", "t.nii"),
        ("--target-site", "A"),
        ("--lesion-masks", "none"),
        ("--brain-masks", "auto"),
        ("--derivatives", "masks"),
        ("--strength", "0.5"),
        ("--force",),
        ("--mem-gb", "4"),
        ("--omp-nthreads", "2"),
        ("--dask-scheduler", "local"),
    ],
)
def test_options_that_do_nothing_at_the_level_group_are_refused(options, app, capsys):
    assert app.run(*options, level="group") == 2

    assert f"{options[0]} does nothing at the level group: " in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--dry-run", "--no-reports"])
def test_options_that_do_nothing_beside_reports_only_are_refused(option, app, capsys):
    assert app.run("--reports-only", option) == 2

    assert f"{option} does nothing beside --reports-only: " in capsys.readouterr().err
