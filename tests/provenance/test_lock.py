import threading
import time

import pytest

from hail_mri.errors import UnwritableError
from hail_mri.provenance.lock import _break, locked


def test_a_lock_is_waited_for_and_leaves_nothing(tmp_path):
    order = []

    def second():
        with locked(tmp_path / "table.tsv"):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path / "table.tsv"):
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_process_that_was_killed_is_broken_after_a_while(tmp_path):
    lock = tmp_path / ".table.tsv.lock"
    lock.write_text("somebody")
    start = time.monotonic()

    with locked(tmp_path / "table.tsv", stale=0.3):
        assert lock.read_text() != "somebody"

    assert time.monotonic() - start > 0.3
    assert not lock.exists()


def test_a_lock_that_was_broken_is_not_given_up_for_the_next_who_has_it(tmp_path):
    lock = tmp_path / ".table.tsv.lock"

    with locked(tmp_path / "table.tsv"):
        lock.write_text("the next")

    assert lock.read_text() == "the next"


def test_a_lock_is_given_up_when_what_is_done_fails_and_folders_go_too(tmp_path):
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "new/folder/table.tsv"):
        raise KeyboardInterrupt

    assert not list(tmp_path.iterdir())


def test_a_place_where_no_lock_can_be_is_named(tmp_path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(UnwritableError, match=r"file/table\.tsv could not be written"),
        locked(tmp_path / "file/table.tsv"),
    ):
        pass


def test_a_lock_that_somebody_has_taken_meanwhile_is_not_broken(tmp_path):
    lock = tmp_path / ".table.tsv.lock"
    lock.write_text("a newcomer")

    _break(lock, "who was killed")

    assert lock.read_text() == "a newcomer"
    assert list(tmp_path.iterdir()) == [lock]
