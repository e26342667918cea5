from pathlib import Path

import pytest

from hail_mri.errors import UnwritableError
from hail_mri.provenance.atomic_write import write_folder, write_together


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


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


def fill(folder, content, failure=None):
    with write_folder(folder) as hidden:
        (hidden / "a").write_text(content)
        if failure is not None:
            raise failure


def test_a_folder_appears_with_all_that_is_in_it(tmp_path):
    fill(tmp_path / "new/folder", "whole")

    assert names(tmp_path) == ["a", "folder", "new"]
    assert (tmp_path / "new/folder/a").read_text() == "whole"


def test_a_folder_that_cannot_be_filled_is_not_there_and_an_older_one_stays(tmp_path):
    fill(tmp_path / "folder", "older")

    for folder in (tmp_path / "folder", tmp_path / "new/folder"):
        with pytest.raises(UnwritableError, match="folder could not be written"):
            fill(folder, "half", OSError(28, "No space left on device"))

    assert names(tmp_path) == ["a", "folder"]
    assert (tmp_path / "folder/a").read_text() == "older"


def test_a_folder_takes_the_place_of_an_older_one(tmp_path):
    fill(tmp_path / "folder", "older")
    (tmp_path / "folder/b").touch()

    fill(tmp_path / "folder", "newer")

    assert names(tmp_path) == ["a", "folder"]
    assert (tmp_path / "folder/a").read_text() == "newer"


def test_a_folder_is_not_moved_out_of_the_way_like_a_file(tmp_path):
    (tmp_path / "folder").mkdir()

    with pytest.raises(UnwritableError, match="folder could not be written"):
        write_together([tmp_path / "folder"], lambda hidden: [p.write_text("new") for p in hidden.values()])

    assert names(tmp_path) == ["folder"]


def test_a_folder_behind_a_link_is_filled_and_the_link_stays(tmp_path):
    fill(tmp_path / "real", "older")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    fill(tmp_path / "link", "newer")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/a").read_text() == "newer"
    assert names(tmp_path) == ["a", "link", "real"]
