"""What a run keeps, whoever works: states, the table, reports, and what it makes again."""

import json
from dataclasses import replace
from threading import Thread

import pytest

from hail_mri.apps.engine.run import run_jobs
from hail_mri.apps.engine.states import read_states, states_dir, write_state
from hail_mri.apps.engine.workers import THIS_PROCESS, Workers
from hail_mri.apps.result_table import COLUMNS
from hail_mri.errors import InputError, OutputExistsError
from hail_mri.provenance.folder_names import STATE_DIR
from hail_mri.provenance.lock import locked


@pytest.fixture
def two(study):
    return replace(study, sources=study.sources[:2])


def test_every_row_of_the_table_has_all_that_an_audit_asks_for(undisturbed):
    for row in undisturbed.rows:
        assert list(row) == list(COLUMNS)
        assert row["status"] == "done"
        assert row["verdict"] == "fail"  # weights that were never trained find no brain
        assert row["result_sha256"] == undisturbed.hashes[row["output"]]
        assert all(len(row[f"{name}_sha256"]) == 64 for name in ("source", "target", "weights"))
        assert json.loads(row["settings"])["threads"] == 1
        assert float(row["peak_memory_mib"]) > 100
        assert (row["attempts"], row["subject"], row["report"]) == ("1", "n/a", "n/a")


def test_the_same_job_has_the_same_state_whoever_runs_it_and_another_one_another(study, undisturbed, two):
    two.run(THIS_PROCESS)

    keys = {state.key for state in read_states(two.output)}
    assert keys < {state.key for state in read_states(undisturbed.output)}
    weaker = replace(study, sources=study.sources[:1], settings=replace(study.settings, strength=0.5))
    weaker.run(THIS_PROCESS, overwrite=True)
    assert len(keys | {state.key for state in read_states(study.output)}) == 3


def test_a_state_that_is_no_state_is_no_obstacle(two, undisturbed):
    two.run(THIS_PROCESS)
    for path in states_dir(two.output).iterdir():
        path.write_text("{")

    outcomes = two.run(THIS_PROCESS)

    assert [outcome.status for outcome in outcomes] == ["done already"] * 2
    assert two.hashes.items() < undisturbed.hashes.items()


def test_a_scan_that_failed_is_tried_twice_by_each_run_and_attempts_are_counted(two, tmp_path):
    (tmp_path / "late.nii.gz").write_bytes(b"not yet there")
    two.sources = [tmp_path / "late.nii.gz", two.sources[0]]
    two.run(THIS_PROCESS)
    assert [(row["status"], row["attempts"]) for row in two.rows] == [("failed", "2"), ("done", "1")]

    two.run(THIS_PROCESS)

    assert {row["status"]: row["attempts"] for row in two.rows} == {"failed": "4", "done already": "1"}


def test_a_row_tells_the_settings_that_a_result_was_made_with_and_not_those_of_the_run_that_found_it(two):
    two.run(THIS_PROCESS)

    replace(two, settings=replace(two.settings, device="cpu")).run(THIS_PROCESS)

    assert [row["status"] for row in two.rows] == ["done already"] * 2
    assert {json.loads(row["settings"])["device"] for row in two.rows} == {"auto"}


def test_a_result_of_other_threads_is_not_mixed_with_those_of_this_run(two):
    two.run(Workers(n_processes=0, threads=1))

    outcomes = two.run(Workers(n_processes=0, threads=2))

    assert [outcome.status for outcome in outcomes] == ["failed"] * 2
    assert all("threads was 1, and is 2 now" in row["message"] for row in two.rows)


def test_states_may_lie_apart_from_the_table_and_runs_with_other_tables_know_them(two):
    for name in ("first", "second"):
        table_path = two.output / name / two.table_path.name
        outcomes = run_jobs(two.jobs, table_path, THIS_PROCESS, overwrite=True, states_dir=two.output)

    assert [outcome.attempts for outcome in outcomes] == [2, 2]
    assert {state.output for state in read_states(two.output)} == {source.name for source in two.sources}
    assert not read_states(table_path.parent)


def test_outputs_that_leave_the_folder_that_runs_share_are_refused(two):
    with pytest.raises(InputError, match="is not in the folder"):
        run_jobs(two.jobs, two.table_path, THIS_PROCESS, overwrite=False, states_dir=two.output / "results")


def test_what_another_run_is_making_and_its_lock_of_the_table_are_left_alone(two):
    two.run(THIS_PROCESS)
    of_other = two.output / f".{'0' * 32}.other.nii.gz"
    of_other.touch()
    state = replace(read_states(two.output)[0], key="f" * 64, output="other.nii.gz", status="running")
    write_state(state, two.output)

    with locked(two.table_path):
        waiting = Thread(target=two.run, args=(THIS_PROCESS,))
        waiting.start()
        waiting.join(2.0)
        assert waiting.is_alive()
    waiting.join()

    assert of_other.exists()
    assert "running" in {state.status for state in read_states(two.output)}


@pytest.mark.parametrize("name", ["", "states", "errors"])
def test_a_folder_of_ours_that_is_a_link_is_refused_and_what_it_leads_to_stays(two, tmp_path, name):
    elsewhere = tmp_path / "home"
    (elsewhere / "states").mkdir(parents=True)
    (elsewhere / "states/.profile").touch()
    link = two.output / STATE_DIR / name
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)

    with pytest.raises(OutputExistsError, match="is a link to"):
        two.run(THIS_PROCESS)

    assert sorted(path.name for path in elsewhere.rglob("*")) == [".profile", "states"]


def test_a_state_that_tells_of_a_file_that_is_no_result_of_the_run_removes_nothing(two, tmp_path):
    two.run(THIS_PROCESS)
    victim = tmp_path / "victim"
    victim.mkdir()
    (two.output / "sub-00_T1w.json").rename(victim / "x.json")
    (victim / f".{'0' * 32}.x.nii.gz").touch()
    state = replace(read_states(two.output)[0], output="../victim/x.nii.gz", status="running")
    write_state(state, two.output)
    (states_dir(two.output) / ".profile").mkdir()

    two.run(THIS_PROCESS, overwrite=True)

    assert len(list(victim.iterdir())) == 2
    assert (states_dir(two.output) / ".profile").is_dir()


def test_a_report_is_written_beside_each_result_and_added_where_it_is_missing(two):
    two.run(THIS_PROCESS)
    assert not list(two.output.glob("*.html"))

    outcomes = two.run(THIS_PROCESS, reports=True)

    assert [outcome.status for outcome in outcomes] == ["done already"] * 2
    assert [row["report"] for row in two.rows] == [f"{path.name[:-7]}_report.html" for path in two.sources]
    assert all((two.output / row["report"]).is_file() for row in two.rows)


def test_a_report_is_listed_only_with_the_result_that_it_is_of(two):
    two.run(THIS_PROCESS, reports=True)
    first = {path.name: path.read_text() for path in two.output.glob("*.html")}
    weaker = replace(two, settings=replace(two.settings, strength=0.5))

    weaker.run(THIS_PROCESS, overwrite=True)

    assert not list(two.output.glob("*.html"))
    for name, text in first.items():  # as where a run was killed before it had removed them
        (two.output / name).write_text(text)
    weaker.run(THIS_PROCESS)
    assert [row["report"] for row in two.rows] == ["n/a"] * 2
    weaker.run(THIS_PROCESS, reports=True)
    assert [row["report"] for row in two.rows] == sorted(first)
    assert all((two.output / name).read_text() != text for name, text in first.items())
    weaker.run(THIS_PROCESS)
    assert [row["report"] for row in two.rows] == sorted(first)


def test_a_file_of_somebody_else_under_the_name_of_a_report_stays_and_is_not_listed(two):
    two.output.mkdir()
    path = two.output / "sub-00_T1w_report.html"
    path.write_text("mine")

    for _ in range(2):
        outcomes = two.run(THIS_PROCESS, reports=True)

        assert path.read_text() == "mine"
        assert not any(outcome.failed for outcome in outcomes)
        assert {row["output"]: row["report"] for row in two.rows}["sub-00_T1w.nii.gz"] == "n/a"
        assert any(f"there is no report: {path} exists" in outcome.message for outcome in outcomes)


@pytest.mark.parametrize(
    "choices",
    [
        pytest.param({"n_processes": -1}, id="fewer than none"),
        pytest.param({"threads": 0}, id="no thread"),
        pytest.param({"memory_gb": 0.0}, id="no memory"),
        pytest.param({"dask_scheduler": "head-node"}, id="no address"),
        pytest.param({"dask_scheduler": "tcp://head-node:8786", "n_processes": 2}, id="workers of a cluster"),
        pytest.param({"dask_scheduler": "tcp://head-node:8786", "memory_gb": 2.0}, id="memory of a cluster"),
        pytest.param({"dask_scheduler": "local", "n_processes": 0}, id="a cluster of this process"),
    ],
)
def test_workers_that_cannot_be_are_refused(choices):
    with pytest.raises(InputError, match=r"expected|asked for"):
        Workers(**choices)
