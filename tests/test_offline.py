"""Nothing here needs a network: with sockets that cannot be opened, all works as ever."""

import subprocess
import sys

import pytest

from hail_mri.image.nifti import save_volume

BLOCKED = """
import socket, sys

class Blocked(socket.socket):
    def __init__(self, *_, **__):
        raise AssertionError("a network was asked for")

def refuse(*_, **__):
    raise AssertionError("a network was asked for")

socket.socket, socket.create_connection, socket.getaddrinfo = Blocked, refuse, refuse
from hail_mri.apps.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def scan_path(tmp_path, make_head):
    path = tmp_path / "scan.nii.gz"
    save_volume(make_head(), path)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        # What stands for a head here is none to the checks.
        pytest.param(
            ["harmonize", "scan.nii.gz", "--target", "scan.nii.gz", "-o", "out.nii.gz", "--force"], id="harmonize"
        ),
        pytest.param(["style", "scan.nii.gz", "-o", "card.json", "--force"], id="style"),
        pytest.param(["info"], id="info"),
    ],
)
def test_a_verb_opens_no_socket(arguments, scan_path):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *arguments], cwd=scan_path.parent, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
