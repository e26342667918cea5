import numpy as np
import torch

import hail_mri
from hail_mri.harmonize.environment import peak_memory_mib, versions


def test_versions_are_those_the_libraries_tell_themselves():
    found = versions()

    assert found["hail-mri"] == hail_mri.__version__
    assert found["numpy"] == np.__version__
    assert torch.__version__.startswith(found["torch"].split("+")[0])


def test_peak_memory_is_at_least_what_was_filled():
    filled = np.ones((256, 1 << 20), dtype=np.uint8)

    assert peak_memory_mib() > filled.nbytes / (1 << 20)
