import logging
import os
import subprocess
import sys
from pathlib import Path

import hail_mri
from hail_mri.report.canvas import new_figure


def test_a_home_that_cannot_be_written_to_is_not_worth_a_word(tmp_path):
    code = "from hail_mri.report.canvas import new_figure; new_figure((2, 1)).savefig('a.png')"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "XDG"))}
    # Nobody can make a folder there, not even root.
    environment |= {"HOME": "/proc/nonexistent", "PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    environment |= {"TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_messages_of_matplotlib_are_heard_afterwards(caplog):
    new_figure((2, 1))
    logging.getLogger("matplotlib").warning("something else")

    assert "something else" in caplog.text
