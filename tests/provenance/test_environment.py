import json
import subprocess
import sys

import numpy as np
import torch

import hail_mri
from hail_mri.provenance.environment import peak_memory_mib, versions


def test_versions_are_those_the_libraries_tell_themselves():
    found = versions()

    assert found["hail-mri"] == hail_mri.__version__
    assert found["numpy"] == np.__version__
    assert torch.__version__.startswith(found["torch"].split("+")[0])


def test_peak_memory_is_at_least_what_was_filled():
    filled = np.ones((256, 1 << 20), dtype=np.uint8)

    assert peak_memory_mib() > filled.nbytes / (1 << 20)


# In a process of its own: the number of threads is the process's.
COUNT = """
import json, numpy, torch
from threadpoolctl import threadpool_info
from hail_mri.model.threads import limit_threads
limit_threads(1)
print(json.dumps([torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())]))
"""


def test_a_limit_bounds_torch_and_the_linear_algebra():
    printed = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True).stdout

    counts = json.loads(printed)
    assert len(counts) > 1
    assert set(counts) == {1}
