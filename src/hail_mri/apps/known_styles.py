"""Teach weights of the paper's kind which styles their training scans have, so that scans unlike these can be told.

    python -m hail_mri.apps.known_styles WEIGHTS --config configs/hail-small.toml --label-maps DIR -o WORK

Training does it by itself; this is for weights that were trained before it did. Give what they were trained with:
settings, and label maps or a table of scans, or both. WORK keeps the simulated heads; a run's own folder has them. The
weights' file gets further tensors, and so another hash: style cards made with it have to be made again.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from hail_mri.apps.terminal import one_line, say
from hail_mri.errors import HailError, InputError
from hail_mri.model.known_styles_file import add_known_styles
from hail_mri.model.weights import load_feature_network
from hail_mri.provenance.free_paths import require_writable_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write, and return the exit status, 0 or 2.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments after the program's name; None for those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m hail_mri.apps.known_styles", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("weights", help="name or path")
    parser.add_argument("--config", type=Path, required=True, help="settings of the training")
    parser.add_argument("--label-maps", type=Path, help="folder of label maps")
    parser.add_argument("--scans", type=Path, help="table of scans")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to keep simulated heads in")
    arguments = parser.parse_args(argv)
    try:
        teach(arguments.weights, arguments.config, arguments.output, arguments.label_maps, arguments.scans)
    except HailError as error:
        say("error", one_line(error))
        return 2
    return 0


def teach(weights: str, config: Path, output: Path, label_maps: Path | None, scans: Path | None) -> None:
    """Add the styles of training scans to a file of weights.

    Raises
    ------
    HailError
        If weights, settings or scans cannot be used, or tell too little.
    """
    from hail_mri.training.phases.known_scans import measure_known_styles
    from hail_mri.training.phases.paper_source import PairFiles, place_heads, whole_scans
    from hail_mri.training.settings import load_settings

    files, settings = PairFiles(label_maps, scans), load_settings(config)
    network, card = load_feature_network(weights)
    if (card.network, card.spacing_mm) != (settings.network.to_settings(), settings.data.spacing_mm):
        raise InputError(f"{config} holds settings of another network than {weights}")
    require_writable_folder(output)
    tell = partial(say, "train")
    phase: Literal["encoder", "style"] = "encoder" if card.phase == "encoder" else "style"
    place_heads(files, settings, output, tell)
    found = measure_known_styles(
        network,
        whole_scans(files, settings, phase, output, tell),
        spacing=card.spacing_mm,
        say=tell,
    )
    if found is None:
        raise InputError("nothing is written", "give more label maps or scans")
    tell(f"{int(found.n_scans[0])} scans: written to {add_known_styles(weights, found)}")


if __name__ == "__main__":
    sys.exit(main())
