"""Training a classifier: a fixed number of steps over examples that lie in memory, the same for the same seed.

What a step does depends on its number alone, not on how the steps before it came about: the examples of its batch, its
learning rate and the random numbers of its dropout all follow from seed and step. So a training that was stopped needs
weights and moments to go on as if nothing had happened, and nothing else.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from datatools.core.errors import UsageError
from datatools.kernels import schedules
from datatools.zoo import depthwise, pact, registry
from datatools.zoo.devices import Device

MOMENTUM = 0.9
CALIBRATION_BATCHES = 8
PREDICTED_AT_ONCE = 256

# of ImageNet, for RGB between 0 and 1: weights from elsewhere expect them
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained.

    steps: batches in all. lr: the highest learning rate. warmup: steps until it is reached. smoothing: share of the
    label's weight that goes to all classes alike (Szegedy et al., CVPR 2016). ema: how much of the averaged weights
    stays in a step, 0 for no average. jitter: how far the pictures of a batch are shifted and scaled, as a share.
    """

    model: str
    classes: int
    steps: int
    batch: int = 32
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = 1e-3
    warmup: int = 0
    smoothing: float = 0.0
    ema: float = 0.0
    jitter: float = 0.0
    seed: int = 0


class Trainer:
    """One training. `step` counts the steps done; `advance` does one more.

    rgb: (N, height, width, 3) uint8, N at least 1. label: (N,) class numbers, or (N, C) shares of the classes.
    model: a network to go on with, on the CPU; a fresh one where there is none. It is changed: its depthwise
    convolutions become such as train faster. Must be used inside `devices.settled`.
    """

    def __init__(
        self,
        recipe: Recipe,
        rgb: NDArray[np.uint8],
        label: NDArray[np.integer] | NDArray[np.floating],
        device: Device,
        model: nn.Module | None = None,
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.step = 0
        self._rgb, self._label = rgb, label.astype(np.float32 if label.ndim == 2 else np.int64)
        torch.manual_seed(_number(recipe.seed, -1))
        made = registry.create(recipe.model, num_classes=recipe.classes) if model is None else model
        self.model = made.to(device.kind)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half as fast again on a CPU
        if device.kind == "cpu":
            depthwise.speed_up(self.model)
        self._average = copy.deepcopy(self.model).requires_grad_(False) if recipe.ema else None
        self._optimizer = _optimizer(recipe, self.model)
        self._scaler = torch.amp.GradScaler(device.kind, enabled=device.scales_loss)
        self._copy: nn.Module | None = None
        self._passes: tuple[int, NDArray[np.int64]] | None = None

    def advance(self) -> Tensor:
        """Do a step; return its loss, which may still be on its way from a GPU."""
        recipe = self.recipe
        torch.manual_seed(_number(recipe.seed, self.step))
        self.model.train()
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate()
        rows = self._rows(self.step)
        rng = np.random.default_rng([recipe.seed, self.step, 1])
        x = jittered(as_input(self._rgb[rows], self.device), recipe.jitter, rng)
        logits = self._forward(self.model, x)
        label = torch.from_numpy(self._label[rows]).to(self.device.kind)
        loss = functional.cross_entropy(logits, label, label_smoothing=recipe.smoothing)
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self.step += 1
        if self._average:
            _average(self._average, self.model, min(recipe.ema, (1 + self.step) / (10 + self.step)))
        return loss.detach()

    def rate(self) -> float:
        """The learning rate of the next step."""
        r = self.recipe
        return float(schedules.cosine(np.array([self.step]), peak=r.lr, steps=r.steps, warmup=r.warmup)[0])

    def evaluated(self) -> nn.Module:
        """The network as it is evaluated and saved: averaged weights where there are such, norms measured anew.

        It is the same object in every call: the next one changes its weights. Running means of batch norms lag behind
        the weights by some 30 steps, which in a short training is all of it; so they are taken from training examples
        with the weights as they are (Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021).
        """
        source = self._average or self.model
        if self._copy is None:  # once, as copying the modules takes longer than a step
            self._copy = copy.deepcopy(source).requires_grad_(False)
        model = self._copy.eval()
        model.load_state_dict(source.state_dict())
        norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over all batches
            norm.train()
        with torch.inference_mode():
            for step in range(min(CALIBRATION_BATCHES, self.steps_a_pass) if norms else 0):
                self._forward(model, as_input(self._rgb[self._rows(step)], self.device))
        return model.eval()

    @property
    def steps_a_pass(self) -> int:
        """Steps in which every example is seen."""
        return -(-len(self._label) // self.recipe.batch)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, as tensors."""
        found = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        if self._average:
            found |= {f"average.{name}": value for name, value in self._average.state_dict().items()}
        for number, moments in self._optimizer.state_dict()["state"].items():
            found |= {f"optimizer.{number}.{name}": v for name, v in moments.items() if isinstance(v, Tensor)}
        found |= {f"scaler.{n}": torch.tensor(v, dtype=torch.float64) for n, v in self._scaler.state_dict().items()}
        return {**found, "step": torch.tensor(self.step)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned. Raises KeyError, RuntimeError where it is of another training."""
        self.step = int(state["step"])
        self.model.load_state_dict(_below(state, "model."))
        if self._average:
            self._average.load_state_dict(_below(state, "average."))
        parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _below(state, "optimizer.").items():
            number, _, moment = name.partition(".")
            own = parameters[int(number)]
            # the optimizer goes through both as they lie in memory, so they must lie alike
            laid = torch.empty_like(own).copy_(value) if value.shape == own.shape else value
            moments.setdefault(int(number), {})[moment] = laid.detach()
        loaded = self._optimizer.state_dict()
        self._optimizer.load_state_dict({"state": moments, "param_groups": loaded["param_groups"]})
        if scaler := _below(state, "scaler."):
            kinds = {name: type(value) for name, value in self._scaler.state_dict().items()}
            self._scaler.load_state_dict({name: kinds[name](value.item()) for name, value in scaler.items()})

    def _forward(self, model: nn.Module, x: Tensor) -> Tensor:
        with torch.autocast(self.device.kind, self.device.half, enabled=self.device.half is not None):
            logits: Tensor = model(x)
        return logits.float()

    def _rows(self, step: int) -> NDArray[np.int64]:
        """The examples of a step: the next ones of an endless row of shuffles of the set."""
        count, batch = len(self._label), self.recipe.batch
        places = np.arange(step * batch, (step + 1) * batch)
        rows = [self._shuffle(p)[places[places // count == p] % count] for p in np.unique(places // count).tolist()]
        return np.concatenate(rows)

    def _shuffle(self, number: int) -> NDArray[np.int64]:
        if self._passes is None or self._passes[0] != number:
            rng = np.random.default_rng([self.recipe.seed, number])
            self._passes = number, rng.permutation(len(self._label))
        return self._passes[1]


def as_input(rgb: NDArray[np.uint8], device: Device) -> Tensor:
    """Turn (B, height, width, 3) uint8 into (B, 3, height, width) float32 on the device, mean 0 and deviation 1.

    The means are those of ImageNet. The memory stays as it is: channels last.
    """
    x = torch.from_numpy(np.ascontiguousarray(rgb)).to(device.kind).permute(0, 3, 1, 2)
    mean = torch.tensor(MEAN, device=device.kind).view(1, 3, 1, 1)
    deviation = torch.tensor(DEVIATION, device=device.kind).view(1, 3, 1, 1)
    return x.float().div_(255).sub_(mean).div_(deviation)


def jittered(x: Tensor, amount: float, rng: np.random.Generator) -> Tensor:
    """Shift and scale each picture by up to a share of its size; what comes in from outside repeats the edge.

    x: (B, C, height, width) float. amount: 0 gives the pictures themselves; at 0.1 one is moved by up to a tenth of its
    width and of its height, and shown at 90 to 111 % of its size. Neither changes what class a picture has, even where
    mirroring or turning would.
    """
    if not amount:
        return x
    height, width = x.shape[2:]
    zoom = np.exp(rng.uniform(-amount, amount, (len(x), 1)))
    shift = rng.uniform(-2 * amount, 2 * amount, (2, len(x), 1))  # the grid runs from -1 to 1
    across, down = (
        torch.from_numpy((zoom * (2 * np.arange(side) + 1 - side) / side + moved).astype(np.float32)).to(x.device)
        for side, moved in zip((width, height), shift, strict=True)
    )
    whole = (len(x), height, width)
    grid = torch.stack((across[:, None, :].expand(whole), down[:, :, None].expand(whole)), dim=-1)
    moved = functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)


def probabilities(model: nn.Module, rgb: NDArray[np.uint8], device: Device) -> NDArray[np.float32]:
    """Return the probability of each class, (N, C), of a network in evaluation mode."""
    made: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, max(len(rgb), 1), PREDICTED_AT_ONCE):
            logits: Tensor = model(as_input(rgb[start : start + PREDICTED_AT_ONCE], device))
            made.append(logits.softmax(dim=1).cpu().numpy())
    return np.concatenate(made)


def mean_loss(losses: list[Tensor], step: int) -> float:
    """Return the mean of some steps' losses. Raises UsageError where it is no number any more."""
    mean = float(torch.stack(losses).double().mean()) if losses else 0.0
    if not np.isfinite(mean):
        raise UsageError(f"the loss is no number any more at step {step}: choose a smaller --lr")
    return mean


def _optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    clips = {name for name, _ in model.named_parameters() if name.endswith(".alpha")}
    groups: list[dict[str, Any]] = [{"params": [p for name, p in model.named_parameters() if name not in clips]}]
    if clips:
        alphas = [p for name, p in model.named_parameters() if name in clips]
        groups.append({"params": alphas, "weight_decay": pact.DECAY})
    if recipe.optimizer == "adam":
        return torch.optim.Adam(groups, lr=recipe.lr, fused=True)
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=MOMENTUM, nesterov=True)


@torch.no_grad()
def _average(average: nn.Module, model: nn.Module, kept: float) -> None:
    """Move averaged weights, and the statistics of norms, towards the network's."""
    old, new = average.state_dict(), model.state_dict()
    moving = [name for name, value in old.items() if value.is_floating_point()]
    torch._foreach_lerp_([old[n] for n in moving], [new[n] for n in moving], 1 - kept)
    for name, value in old.items():
        if not value.is_floating_point():
            value.copy_(new[name])


def _below(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _number(seed: int, step: int) -> int:
    """A seed of torch's generators for one step; step -1 is the drawing of the first weights."""
    words: Any = np.random.SeedSequence([seed, step + 1]).generate_state(1, np.uint64)
    return int(words[0]) >> 1
