"""What a worker process does: take a task, attempt it, tell what came of it; until there are no more.

Started by `worker.Worker` as `python -P -m hail_mri.apps.engine.worker_process FILE`, where FILE is the number of the
socket to talk through. It ends with the process that started it, whatever that ends by.
"""

import os
import signal
import sys
from multiprocessing.connection import Connection
from threading import Thread

from hail_mri.apps.engine.attempt import make_attempt


def main() -> None:
    """Work until nobody wants anything any more."""
    # An interruption reaches all processes of a terminal; it is the first one that decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    connection = Connection(int(sys.argv[1]))
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        connection.send(make_attempt(task))


def _end_with_parent() -> None:
    """Wait for the end of standard input, which the parent holds open as long as it lives, and end at once."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
