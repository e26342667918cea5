"""Whether a run may begin or go on in a folder, for each state a folder can be in."""

import zipfile

import pytest
import torch

from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.training.running.run_folder import RunFolder, begin_run, find_checkpoint, finish_run


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[data]\nseed = 1\n")
    return path


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run", "tissues")


@pytest.fixture
def begun(folder, config):
    """A folder with a run that was killed after its first checkpoint."""
    begin_run(folder, config, None)
    torch.save({"state_dict": {"weight": torch.zeros(2)}}, folder.last_path)
    return folder


def test_a_run_begins_in_a_folder_that_is_not_there(folder, config):
    assert find_checkpoint(folder, config, None, resume=False) is None
    assert not folder.out_dir.exists()


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(folder, config):
    begin_run(folder, config, None)
    config.write_text("[data]\nseed = 2\n")
    assert find_checkpoint(folder, config, None, resume=False) is None


def test_a_run_goes_on_from_its_checkpoint(begun, config):
    assert find_checkpoint(begun, config, None, resume=True) == begun.last_path


def test_comments_and_layout_of_settings_do_not_matter(begun, config):
    config.write_text("# mine\n[data]\nseed   = 1\n")
    assert find_checkpoint(begun, config, None, resume=True) == begun.last_path


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param("[data]\nseed = 2\n", r"data\.seed", id="value"),
        pytest.param("[data]\nseed = 1\npatch = 8\n", r"data\.patch", id="key more"),
        pytest.param("[network]\nseed = 1\n", r"data\.seed, network\.seed", id="table"),
    ],
)
def test_settings_that_differ_are_named(begun, config, text, keys):
    config.write_text(text)
    with pytest.raises(InputError, match=rf"other settings than .*: {keys}$"):
        find_checkpoint(begun, config, None, resume=True)


def test_another_phase_keeps_to_the_settings_of_the_folder(begun, config):
    style = RunFolder(begun.out_dir, "style")
    assert find_checkpoint(style, config, None, resume=False) is None
    config.write_text("[data]\nseed = 2\n")
    with pytest.raises(InputError, match="other settings"):
        find_checkpoint(style, config, None, resume=False)


def test_nothing_goes_on_without_a_checkpoint(folder, config):
    with pytest.raises(MissingFileError, match="no checkpoint") as caught:
        find_checkpoint(folder, config, None, resume=True)
    assert "--resume away" in caught.value.hint


def test_a_damaged_checkpoint_is_refused(begun, config):
    begun.last_path.write_bytes(begun.last_path.read_bytes()[:20])
    with pytest.raises(InputError, match="is no checkpoint, or damaged"):
        find_checkpoint(begun, config, None, resume=True)


def test_weights_that_a_run_did_not_begin_with_are_refused(begun, config):
    with pytest.raises(InputError, match="began with no weights, expected compact"):
        find_checkpoint(begun, config, "compact", resume=True)
    begin_run(begun, config, "compact")
    with pytest.raises(InputError, match=r"began with weights with the SHA-256 [0-9a-f]{64}, expected none"):
        find_checkpoint(begun, config, None, resume=True)
    assert find_checkpoint(begun, config, "compact", resume=True) == begun.last_path


def test_a_run_goes_on_as_the_number_of_processes_that_it_began_with(begun, config):
    with pytest.raises(InputError, match="began as 1 processes, expected 2"):
        find_checkpoint(begun, config, None, resume=True, n_processes=2)
    begin_run(begun, config, None, 2)
    with pytest.raises(InputError, match="began as 2 processes, expected 1") as caught:
        find_checkpoint(begun, config, None, resume=True)
    assert "devices" in caught.value.hint
    assert find_checkpoint(begun, config, None, resume=True, n_processes=2) == begun.last_path
    begun.start_path.write_text('{"init_sha256": null}')  # of a run that began before there could be several
    assert find_checkpoint(begun, config, None, resume=True) == begun.last_path


@pytest.mark.parametrize("resume", [True, False])
def test_a_finished_run_that_wrote_no_weights_says_so(begun, config, resume):
    finish_run(begun, n_steps=7, seconds=3600.0, has_weights=False, rate={})
    with pytest.raises(OutputExistsError, match=r"finished \(tissues, 7 steps in 60 min\); it got no better"):
        find_checkpoint(begun, config, None, resume=resume)


def write_zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data", "")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(write_zip, id="a zip file"),
        pytest.param(lambda path: torch.save([1, 2], path), id="something else of torch"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:200]), id="cut short"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused_before_any_work(begun, config, spoil):
    spoil(begun.last_path)
    with pytest.raises(InputError, match="is no checkpoint"):
        find_checkpoint(begun, config, None, resume=True)


@pytest.mark.parametrize("text", ["{}", "[1]", "{", "null"])
def test_what_a_run_keeps_of_itself_is_not_believed_blindly(begun, config, text):
    begun.start_path.write_text(text)
    with pytest.raises(InputError, match=r"start\.json"):
        find_checkpoint(begun, config, None, resume=True)
    begun.finish_path.write_text(text)
    with pytest.raises(InputError, match=r"finished\.json"):
        find_checkpoint(begun, config, None, resume=True)


def test_a_setting_outside_of_any_table_is_named(begun, config):
    begun.settings_path.write_text("x = 3\n[data]\nseed = 1\n")
    with pytest.raises(InputError, match=r"other settings than .*: x$"):
        find_checkpoint(begun, config, None, resume=True)
