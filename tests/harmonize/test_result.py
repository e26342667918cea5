import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from hail_mri.errors import InputError, OutputExistsError, UnwritableError
from hail_mri.harmonize import result
from hail_mri.harmonize.result import require_folder_free, require_free, save_result, write_together
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.harmonize.sidecar import InputFile, Provenance
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume

VOLUME = Volume(np.arange(8**3, dtype=np.float32).reshape(8, 8, 8), np.eye(4))


@pytest.fixture
def provenance(tmp_path) -> Provenance:
    path = tmp_path / "source.nii"
    path.write_bytes(b"source")
    file = InputFile.read(path)
    return Provenance(source=file, target=file, settings=HarmonizeSettings(), weights_sha256="", seconds={})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_result_and_sidecar_are_written_and_nothing_else(tmp_path, provenance, name):
    save_result(VOLUME, tmp_path / "out/sub" / name, provenance)

    assert names(tmp_path / "out/sub") == sorted(["a.json", name])
    np.testing.assert_array_equal(load_volume(tmp_path / "out/sub" / name).data, VOLUME.data)


def test_the_hash_in_the_sidecar_is_that_of_the_result(tmp_path, provenance):
    save_result(VOLUME, tmp_path / "a.nii.gz", provenance)

    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert told["Sha256"]["Result"] == hashlib.sha256((tmp_path / "a.nii.gz").read_bytes()).hexdigest()
    assert told["Seconds"]["write"] >= 0


def test_the_same_volume_gives_the_same_bytes(tmp_path, provenance):
    save_result(VOLUME, tmp_path / "a.nii.gz", provenance)
    save_result(VOLUME, tmp_path / "b.nii.gz", provenance)

    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize("step", ["save_volume", "describe", "write_json", "_rename_all"])
@pytest.mark.parametrize(
    ("failure", "seen"),
    [
        pytest.param(OSError(28, "No space left on device"), UnwritableError, id="disk full"),
        pytest.param(KeyboardInterrupt(), KeyboardInterrupt, id="interrupted"),
        pytest.param(ZeroDivisionError(), ZeroDivisionError, id="bug"),
    ],
)
def test_a_failure_at_any_step_leaves_nothing_behind(tmp_path, provenance, monkeypatch, step, failure, seen):
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(result, step, fail)

    with pytest.raises(seen):
        save_result(VOLUME, tmp_path / "out/sub/a.nii.gz", provenance)

    assert names(tmp_path) == ["source.nii"]


def test_a_result_that_cannot_have_its_name_leaves_the_older_pair_as_it_was(tmp_path, provenance, monkeypatch):
    (tmp_path / "a.nii.gz").write_bytes(b"older result")
    (tmp_path / "a.json").write_bytes(b"older sidecar")
    replace = Path.replace

    def replace_sidecars_only(path: Path, target: Path) -> Path:
        if target.name == "a.nii.gz":
            raise PermissionError(1, "Operation not permitted")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_sidecars_only)
    with pytest.raises(UnwritableError, match="not permitted"):
        save_result(VOLUME, tmp_path / "a.nii.gz", provenance, overwrite=True)

    assert names(tmp_path) == ["a.json", "a.nii.gz", "source.nii"]
    assert (tmp_path / "a.nii.gz").read_bytes() == b"older result"
    assert (tmp_path / "a.json").read_bytes() == b"older sidecar"


@pytest.mark.parametrize("existing", ["a.nii.gz", "a.json"])
def test_neither_file_is_replaced_unless_asked(tmp_path, provenance, existing):
    (tmp_path / existing).write_bytes(b"older")

    with pytest.raises(OutputExistsError, match=existing):
        save_result(VOLUME, tmp_path / "a.nii.gz", provenance)
    assert (tmp_path / existing).read_bytes() == b"older"

    save_result(VOLUME, tmp_path / "a.nii.gz", provenance, overwrite=True)
    assert (tmp_path / existing).read_bytes() != b"older"


def test_places_where_nothing_can_be_written_are_refused_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.nii").mkdir()

    with pytest.raises(UnwritableError, match="file is not a folder"):
        require_free(tmp_path / "file/sub/a.nii", overwrite=True)
    with pytest.raises(InputError, match=r"folder\.nii is a folder"):
        require_free(tmp_path / "folder.nii", overwrite=True)


def test_a_name_without_a_folder_is_written_where_one_is(tmp_path, provenance, monkeypatch):
    monkeypatch.chdir(tmp_path)

    save_result(VOLUME, Path("a.nii"), provenance)

    assert names(tmp_path) == ["a.json", "a.nii", "source.nii"]


def test_a_folder_with_something_in_it_is_filled_only_if_asked(tmp_path):
    require_folder_free(tmp_path / "new", overwrite=False)
    require_folder_free(tmp_path, overwrite=False)
    (tmp_path / "a").touch()

    with pytest.raises(OutputExistsError, match="is not empty"):
        require_folder_free(tmp_path, overwrite=False)
    require_folder_free(tmp_path, overwrite=True)


@pytest.mark.parametrize("has_links", [True, False], ids=["hard links", "no hard links"])
def test_what_was_there_comes_back_when_a_later_file_cannot_have_its_name(tmp_path, monkeypatch, has_links):
    (tmp_path / "real").write_bytes(b"older a")
    (tmp_path / "a").symlink_to(tmp_path / "real")
    (tmp_path / "b").write_bytes(b"older b")
    replace = Path.replace

    def refuse_b(path: Path, target: Path) -> Path:
        if target.name == "b" and not path.name.endswith(".kept"):
            raise PermissionError(1, "Operation not permitted", str(target))
        return replace(path, target)

    def refuse_links(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "replace", refuse_b)
    if not has_links:
        monkeypatch.setattr("os.link", refuse_links)

    with pytest.raises(UnwritableError, match="/b could not be written"):
        write_together([tmp_path / "b", tmp_path / "a"], lambda hidden: [p.write_text("new") for p in hidden.values()])

    assert names(tmp_path) == ["a", "b", "real"]
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"older a"
    assert (tmp_path / "b").read_bytes() == b"older b"


def test_folders_that_were_made_for_nothing_are_removed(tmp_path):
    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(UnwritableError):
        write_together([tmp_path / "new/labels/a", tmp_path / "new/masks/deep/b"], fail)

    assert names(tmp_path) == []


def test_runs_in_two_containers_with_one_process_number_do_not_share_hidden_files(tmp_path):
    path = tmp_path / "a.nii"

    def write_while_another_run_writes(hidden):
        hidden[path].write_text("this run")
        write_together([path], lambda others: others[path].write_text("the other run"))

    write_together([path], write_while_another_run_writes)

    assert path.read_text() == "this run"
    assert names(tmp_path) == ["a.nii"]


def test_a_message_about_a_hidden_file_is_one_about_the_file_that_was_asked_for(tmp_path):
    paths = [tmp_path / "a.nii.gz", tmp_path / "a.json"]

    def fail(hidden):
        raise UnwritableError(f"{hidden[paths[1]]} could not be written: No space left on device", "check free space")

    with pytest.raises(UnwritableError, match=r"/a\.json could not be written: No space left") as raised:
        write_together(paths, fail)
    assert raised.value.hint == "check free space"


def test_a_name_that_just_fits_is_written(tmp_path, provenance):
    name = "x" * 248 + ".nii.gz"

    save_result(VOLUME, tmp_path / name, provenance)

    assert name in names(tmp_path)


def test_a_folder_is_not_moved_out_of_the_way_like_a_file(tmp_path):
    (tmp_path / "folder").mkdir()

    with pytest.raises(UnwritableError, match="folder could not be written"):
        write_together([tmp_path / "folder"], lambda hidden: [p.write_text("new") for p in hidden.values()])

    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("output", ["file/a.nii", "file/sub/deep/a.nii"])
def test_the_output_that_was_asked_for_is_named_and_what_is_in_its_way(tmp_path, output):
    (tmp_path / "file").touch()

    with pytest.raises(UnwritableError) as raised:
        require_free(tmp_path / output, overwrite=True)

    assert str(raised.value) == f"{tmp_path / output} cannot be written: {tmp_path / 'file'} is not a folder"
