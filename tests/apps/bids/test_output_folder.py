"""Files of somebody else in the folder of results."""

import pytest

pytest.importorskip("bids2table")


def test_a_table_of_somebody_else_stays(app, capsys):
    assert app.run("--participant-label", "03") == 0
    table = app.output / "harmonized.tsv"
    table.write_text("mine\n")

    assert app.run("--participant-label", "03") == 2
    assert app.run() == 2

    assert capsys.readouterr().err.count("harmonized.tsv exists") == 2
    assert table.read_text() == "mine\n"


@pytest.mark.parametrize("name", ["README.md", ".bidsignore", "sub-01.html", "target_A.tsv", "study_report.html"])
def test_a_folder_with_files_of_somebody_else_is_refused_and_stays(name, app, tree, capsys):
    app.output.mkdir()
    (app.output / name).write_text("mine")

    assert app.run() == 2
    assert app.run(level="group") == 2

    assert capsys.readouterr().err.count(f"is neither empty nor a folder of results: it has {name} in it") == 2
    assert tree(app.output) == [name]
    assert (app.output / name).read_text() == "mine"
