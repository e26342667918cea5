from dataclasses import replace

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.report.study.scans import StudyScan
from hail_mri.report.study.survey import picture_size, survey, target_windows


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"no scan")
    return StudyScan(2, path.name, path, path, status="done")


@pytest.mark.parametrize("n_processes", [1, 2])
def test_a_scan_that_cannot_be_read_is_named_and_stops_nothing(scan, tmp_path, n_processes):
    without_source = replace(scan, line=3, source=None, problems=("source: gone",))
    steps = []

    entries = survey([scan, without_source], tmp_path, n_processes=n_processes, step=lambda: steps.append(1))

    (problem,) = entries[0].scan.problems
    assert "a.nii.gz" in problem
    assert entries[1].scan.problems[0] == "source: gone"
    assert [entry.before for entry in entries] == [None, None]
    assert len(steps) == 2


def test_nothing_is_kept_outside_of_the_folder(scan, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/study_features").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InputError, match="study_features leads out of the folder"):
        survey([scan], tmp_path / "out")


def test_results_of_one_target_share_a_window(make_entries):
    entries = make_entries(1, 3)
    entries += [replace(e, scan=replace(e.scan, target="other")) for e in make_entries(1, 3)]
    for entry in entries[3:]:
        entry.measures.after["white_matter_median"] = 700.0
    entries[0].measures.after["white_matter_median"] = float("nan")

    windows = target_windows(entries)

    whites = [entry.measures.after["white_matter_median"] for entry in entries[1:3]]
    assert windows["../target.nii.gz"].high == pytest.approx(1.4 * np.mean(whites))
    assert windows["other"].high == pytest.approx(980)


def test_the_more_scans_the_smaller_their_pictures():
    sizes = [picture_size(n) for n in (1, 24, 25, 400, 2000, 10_000)]

    assert sizes == sorted(sizes, reverse=True)
    assert 0 < sizes[-1] < sizes[0]
