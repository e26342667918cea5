"""What a killed process leaves behind: files under hidden names, and a sidecar whose result did not get its name.

Only the results of a run's own jobs are looked at, so that nobody else's files are touched, whatever a state tells.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hail_mri.errors import HailError
from hail_mri.provenance.atomic_write import HIDDEN_NAME, TAIL
from hail_mri.provenance.environment import DISTRIBUTION
from hail_mri.provenance.sidecar import read_sidecar, sidecar_path


def clear_leftovers(result: Path) -> None:
    """Remove what a killed process has left of a result and its sidecar; a whole result stays.

    Parameters
    ----------
    result : Path
        Nobody is writing it.
    """
    try:
        sidecar = sidecar_path(result)
    except HailError:
        return
    clear_hidden((result, sidecar))
    told = read_sidecar(result)
    makers = told.get("GeneratedBy")
    names = [maker.get("Name") for maker in makers if isinstance(maker, dict)] if isinstance(makers, list) else []
    if DISTRIBUTION in names and "Sha256" in told and not result.exists() and not result.is_symlink():
        sidecar.unlink(missing_ok=True)


def clear_hidden(paths: Iterable[Path]) -> None:
    """Remove the hidden files that were to become some files, which lie in one folder."""
    wanted = list(paths)
    tails = {path.name[-TAIL:] for path in wanted}
    for folder in {path.parent for path in wanted}:
        with suppress(OSError):
            for path in list(folder.iterdir()):
                match = HIDDEN_NAME.fullmatch(path.name)
                if match is not None and match["tail"] in tails and (path.is_symlink() or path.is_file()):
                    path.unlink()
