import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.training.running import precision
from hail_mri.training.running.precision import choose_precision

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="about machines without a GPU")


@without_gpu
def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(InputError, match="which a CPU cannot train in"):
        choose_precision("16-mixed")


@without_gpu
def test_a_cpu_without_instructions_for_bf16_trains_in_single_precision(monkeypatch):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: False)
    assert choose_precision("auto") == ("32-true", "the CPU has no instructions for bf16")


@without_gpu
@pytest.mark.parametrize(("half", "expected"), [(0.001, "bf16-mixed"), (15.0, "32-true")])
def test_a_cpu_that_claims_bf16_is_measured(monkeypatch, half, expected):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    seconds = {torch.float32: 0.07, torch.bfloat16: half}
    monkeypatch.setattr(precision, "_seconds_per_convolution", seconds.__getitem__)
    chosen, reason = choose_precision("auto")
    assert chosen == expected
    assert "70.0 ms" in reason


def test_what_is_asked_for_is_taken():
    assert choose_precision("32-true")[0] == "32-true"


@without_gpu
def test_several_processes_on_cpus_do_not_measure_each_for_itself(monkeypatch):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    monkeypatch.setattr(precision, "_seconds_per_convolution", {}.__getitem__)
    assert choose_precision("auto", alone=False) == ("32-true", "several processes on CPUs")
