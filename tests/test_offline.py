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
for call in sys.argv[1:]:
    if main(call.split()) != 0:
        sys.exit(f"hail-mri {call} failed")
"""


@pytest.fixture
def scan_path(tmp_path, make_head):
    path = tmp_path / "scan.nii.gz"
    save_volume(make_head(shape=(20, 20, 20)), path)  # the middle, 10 cm wide
    return path


def test_no_verb_opens_a_socket(scan_path):
    calls = [
        # What stands for a head here is none to the checks.
        "harmonize scan.nii.gz --target scan.nii.gz -o out.nii.gz --force",
        "style scan.nii.gz -o card.json --force",
        "export compact -o bundle --format bundle",
        "info",
    ]
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *calls], cwd=scan_path.parent, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
