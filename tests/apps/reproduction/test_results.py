"""Results of one task: one source that cannot be read does not stop the others."""

from dataclasses import replace

import numpy as np
import pytest

from hail_mri.apps.reproduction.cohort import Case
from hail_mri.apps.reproduction.results import Task, make_results, result_path
from hail_mri.apps.reproduction.study import Method
from hail_mri.evaluation.comparison import ORACLE
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.preprocess.masks import head_mask


@pytest.fixture
def task(scan, tmp_path):
    """Two subjects from A to B, of whom the first has no scan."""
    cases = tuple(Case(subject, "A to B", tmp_path) for subject in ("sub-01", "sub-02"))
    save_volume(scan, cases[1].source("scan"))
    save_volume(scan.with_data(5 * scan.data), cases[1].target("scan"))
    return Task(Method("min-max"), cases, tmp_path, segments=False)


def test_a_source_that_is_not_there_is_said_and_the_others_are_harmonized(task):
    (reason,) = make_results(task)
    assert reason.startswith("min-max, sub-01, A to B: ")
    result, target = (
        load_volume(path) for path in (result_path(task.folder, task.cases[1]), task.cases[1].target("scan"))
    )
    assert result.data == pytest.approx(target.data, rel=1e-4)


def test_the_oracle_comes_as_close_to_the_truth_as_a_curve_can(task, make_head):
    case = task.cases[1]
    head = make_head()
    truth = head.with_data(900 * np.sqrt(np.clip(head.data / head.data.max(), 0, 1)))
    for scan, path in ((head, case.source("scan")), (truth, case.answer("truth")), (truth, case.target("scan"))):
        save_volume(scan, path, overwrite=True)

    assert not make_results(replace(task, method=Method(ORACLE), cases=(case,)))

    result = load_volume(result_path(task.folder, case))
    inside = head_mask(head)
    error = np.abs(result.data - truth.data)[inside]
    assert np.quantile(error, 0.999) < 2  # of 900; a bin at the dark end holds few voxels that differ much


def test_a_target_that_is_not_there_is_said_once(task):
    task.cases[1].target("scan").unlink()
    (reason,) = make_results(task)
    assert reason.startswith("min-max, to B: ")
