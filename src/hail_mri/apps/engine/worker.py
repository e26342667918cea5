"""A worker process, as the run that started it sees it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

import hail_mri
from hail_mri.apps.engine.jobs import Attempt, Task

MODULE = "hail_mri.apps.engine.worker_process"
_LAST_WORDS = 200  # characters of its stderr that are worth telling
# What libraries ask for how many threads to start; torch itself is told by the settings of each scan.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


class WorkerDiedError(Exception):
    """Say that a worker has ended without telling what came of its task, and how."""


class Worker:
    """A process of its own that attempts one task after the other.

    Parameters
    ----------
    threads : int
        CPU threads.

    Attributes
    ----------
    connection : Connection
        Readable when an attempt is over, or the worker.
    pid : int
    task : Task or None
        At work on.
    memory : int
        Estimate of what the task takes, bytes.

    Notes
    -----
    Not `multiprocessing.Process`, whose children run the main module of the program again, nor a pool, which breaks
    when one of its processes is killed.
    """

    def __init__(self, threads: int) -> None:
        ours, theirs = socket.socketpair()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=self._words,
                stderr=self._words,
                pass_fds=[theirs.fileno()],
                env=_environment(threads),
            )
        self.connection = Connection(ours.detach())
        self.pid = self._process.pid
        self.task: Task | None = None
        self.memory = 0

    def give(self, task: Task, memory: int) -> None:
        """Hand over a task; of a worker that has died meanwhile, `take` tells."""
        self.task, self.memory = task, memory
        try:
            self.connection.send(task)
        except OSError:
            self._process.kill()

    def take(self) -> Attempt:
        """Return what came of the task.

        Raises
        ------
        WorkerDiedError
            If it ended before it could say so.
        """
        try:
            attempt: Attempt = self.connection.recv()
        except (EOFError, OSError) as error:
            self._process.kill()
            raise WorkerDiedError(self._how_it_ended()) from error
        self.task, self.memory = None, 0
        return attempt

    def end(self) -> None:
        """End the process at once, whatever it does."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self.connection.close()
        self._words.close()

    def _how_it_ended(self) -> str:
        """Return the signal or status that the process ended with, and the last thing it said."""
        status = self._process.wait()
        how = f"with status {status}"
        if status < 0:
            how = f"by signal {signal.Signals(-status).name}"
            if -status == signal.SIGKILL:
                how += ", as where memory is short"
        self._words.seek(0)
        words = " ".join(self._words.read().decode("utf-8", "replace").split())
        return f"{how}; it said: {words[-_LAST_WORDS:]}" if words else how


def _environment(threads: int) -> dict[str, str]:
    """Return the environment of a worker: the package that this process runs, and its number of threads."""
    package = str(Path(hail_mri.__file__).parents[1])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path} | dict.fromkeys(_THREAD_VARIABLES, str(threads))
