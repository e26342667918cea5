import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from hail_mri import __version__
from hail_mri.apps.bids.dataset import open_dataset
from hail_mri.apps.bids.derivatives import describe_output, require_output_dir
from hail_mri.errors import InputError, OutputExistsError

pytest.importorskip("bids2table")


@pytest.mark.parametrize("place", ["raw/derivatives/hail-mri", "raw/derivatives/a/b", "out", "rawest"])
def test_results_may_lie_in_derivatives_or_elsewhere(place, two_sites, tmp_path):
    require_output_dir(tmp_path / place, two_sites)
    assert not (tmp_path / place).exists()  # asking makes nothing


@pytest.mark.parametrize("place", ["raw", "raw/derivatives", "raw/out", "raw/sub-01/out", ".", "link"])
def test_results_may_not_lie_among_raw_scans(place, two_sites, tmp_path):
    (tmp_path / "link").symlink_to(two_sites / "sub-01")

    with pytest.raises(InputError, match=r"lies among the raw scans|holds the data set"):
        require_output_dir(tmp_path / place, two_sites)


def test_the_data_set_of_another_program_is_left_alone(two_sites, make_dataset):
    other = make_dataset(folder="fmriprep", description={"Name": "x", "GeneratedBy": [{"Name": "fMRIPrep"}]})

    with pytest.raises(OutputExistsError, match="another program"):
        require_output_dir(other, two_sites)


def test_the_description_says_by_what_and_from_where(two_sites, tmp_path):
    path = two_sites / "dataset_description.json"
    path.write_text(json.dumps({"Name": "N", "BIDSVersion": "1.6.0", "DatasetDOI": "doi:10.1/x"}))
    out = tmp_path / "a b" / "out"

    describe_output(out, open_dataset(two_sites))

    described = json.loads((out / "dataset_description.json").read_text())
    assert described["Name"] == "N, harmonized"
    assert described["DatasetType"] == "derivative"
    assert described["GeneratedBy"][0]["Name"] == "hail-mri"
    assert described["GeneratedBy"][0]["Version"] == __version__
    assert described["SourceDatasets"] == [{"URL": "bids:raw:", "DOI": "doi:10.1/x"}]
    assert (out / described["DatasetLinks"]["raw"]).resolve() == two_sites.resolve()
    assert not Path(described["DatasetLinks"]["raw"]).is_absolute()


def test_what_is_as_it_should_be_is_not_written_again(two_sites, tmp_path):
    dataset = open_dataset(two_sites)
    describe_output(tmp_path / "out", dataset)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}

    describe_output(tmp_path / "out", dataset)
    require_output_dir(tmp_path / "out", two_sites)

    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    assert len(before) == 3


def test_data_sets_of_masks_are_linked_by_names_of_their_own_and_stay(two_sites, make_dataset, tmp_path):
    one, two = (make_dataset(folder=f"{place}/lesion masks") for place in ("raw/derivatives", "elsewhere"))
    dataset, out = open_dataset(two_sites), tmp_path / "out"

    describe_output(out, dataset, [one, two_sites])
    describe_output(out, dataset, [two])
    describe_output(out, dataset)

    described = json.loads((out / "dataset_description.json").read_text())
    links = {name: (out / unquote(link)).resolve() for name, link in described["DatasetLinks"].items()}
    assert links == {"raw": two_sites, "lesionmasks": one, "lesionmasks2": two}
    assert [source["URL"] for source in described["SourceDatasets"]] == [f"bids:{name}:" for name in links]


def test_what_people_add_to_our_files_stays(two_sites, tmp_path):
    dataset = open_dataset(two_sites)
    describe_output(tmp_path / "out", dataset)
    readme, ignored = (tmp_path / "out" / name for name in ("README.md", ".bidsignore"))
    readme.write_text("My notes")
    patterns = ignored.read_text().splitlines()
    ignored.write_text("\n".join([*patterns[:2], "notes.txt"]))

    describe_output(tmp_path / "out", dataset)

    assert readme.read_text() == "My notes"
    assert sorted(ignored.read_text().splitlines()) == sorted([*patterns, "notes.txt"])


def test_a_folder_that_a_run_is_just_beginning_to_fill_is_taken(two_sites, tmp_path):
    out = tmp_path / "out"
    (out / ".hail-mri/claims").mkdir(parents=True)
    (out / f".{'0' * 32}.et_description.json").write_text("{")
    before = sorted(out.rglob("*"))

    require_output_dir(out, two_sites)

    assert sorted(out.rglob("*")) == before
