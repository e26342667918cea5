"""What becomes of gradients that are not finite, on a network of one number."""

import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.training.running.finite_steps import MAX_LEFT_OUT, drop_unless_finite


def test_a_step_whose_gradient_is_not_finite_is_left_out_and_told(run, tmp_path):
    without, *_ = run(tmp_path / "without", n_steps=5)
    module, trainer, lines, _ = run(tmp_path / "with", n_steps=6, not_finite_at=(2,))
    assert trainer.global_step == 6
    assert torch.equal(module.number, without.number)
    assert lines == ["the gradient of step 3 is not finite, or larger than 1e+19: the step is left out"]


def test_a_run_of_nothing_but_such_steps_ends(run, tmp_path):
    with pytest.raises(InputError, match=f"gradients of {MAX_LEFT_OUT + 1} steps in a row are not finite") as caught:
        run(tmp_path, n_steps=100, not_finite_at=range(3, 100), step_seconds=0)
    assert "--init" in str(caught.value.hint)


def test_such_steps_that_are_not_in_a_row_are_borne(run, tmp_path):
    module, trainer, lines, _ = run(tmp_path, n_steps=60, not_finite_at=range(0, 60, 2), step_seconds=0)
    assert trainer.global_step == 60
    assert sum("not finite" in line for line in lines) == 30
    assert torch.isfinite(module.number).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_all_gradients_go_if_one_number_is_not_finite(bad):
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(3)]
    optimizer = torch.optim.SGD(weights, lr=1.0)
    weights[0].grad, weights[1].grad = torch.ones(2), torch.tensor([1.0, bad])
    assert not drop_unless_finite(optimizer)
    assert all(weight.grad is None for weight in weights)
    assert drop_unless_finite(optimizer)


def test_finite_gradients_stay():
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    assert drop_unless_finite(torch.optim.SGD([weight], lr=1.0))
    assert torch.equal(weight.grad, torch.ones(2))


def test_a_finite_gradient_whose_squares_are_not_goes_since_adam_would_never_move_its_weight_again():
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.Adam([weight], lr=0.1)

    def step(gradient):
        weight.grad = torch.tensor([gradient])
        is_followed, before = drop_unless_finite(optimizer), weight.item()
        optimizer.step()
        return is_followed, weight.item() != before

    assert [step(gradient) for gradient in (1.0, 1e25, 1.0)] == [(True, True), (False, False), (True, True)]
    weight.grad = torch.tensor([1e25])
    optimizer.step()  # without the guard
    assert step(1.0) == (True, False)


@pytest.mark.parametrize(("size", "is_followed"), [(3e17, True), (4e17, False)])
def test_the_norm_of_all_gradients_together_is_what_is_too_large(size, is_followed):
    weights = [torch.nn.Parameter(torch.ones(100)) for _ in range(10)]
    for weight in weights:
        weight.grad = torch.full((100,), size)
    assert drop_unless_finite(torch.optim.SGD(weights, lr=1.0)) == is_followed
