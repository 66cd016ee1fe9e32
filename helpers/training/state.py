"""The state of a training run on the disk: whole or not there, checked when read, nothing pickled.

Support code. A state is a folder `step-00000500` with model.safetensors, optimizer.safetensors and
state.json, which holds the size and SHA-256 of the other two, and the SHA-256 of its own content. It is
written under another name and renamed when it is whole, so a run that is killed at any moment leaves the
states before it as they were.
"""

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from helpers.data.files import sha256_of
from helpers.training.files import read_object
from helpers.wordpiece import check_number

__all__ = ["StateError", "load_latest", "save_state", "wait_for_first"]

NAMES = ("model.safetensors", "optimizer.safetensors")
WAITING = "no-state-yet"  # a file that stands in the folder until the first state does


class StateError(RuntimeError):
    """A training state that can't be written or read; the message says why and what to do."""


def save_state(
    folder: str | Path,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    more: dict | None = None,
    keep: int = 2,
) -> Path:
    """Write the state after a step, and remove all but the `keep` latest: the new folder.

    `more`: a dictionary that JSON can hold. Raises StateError for another one, if the disk is full or the
    folder can't be written (what stood there stays), or if a weight is not finite; ValueError for keep < 1.
    """
    check_number("keep", keep, 1)
    folder, more = Path(folder), _as_read(more or {})
    bad = [name for name, weight in model.named_parameters() if not torch.isfinite(weight).all()]
    if bad:
        raise StateError(f"step {step}: {bad[0]} is not finite any more; this state is not kept")
    unfinished, place = folder / f".unfinished-{step:08}", folder / f"step-{step:08}"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write(unfinished, model, optimizer, {"step": step, "more": more})
        shutil.rmtree(place, ignore_errors=True)  # of a run that was resumed from an older state
        unfinished.rename(place)
        _sync(folder)
        (folder / WAITING).unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StateError(
            f"the state after step {step} could not be written below {folder} ({error}): make room or choose "
            "another disk, then start the same command again; the states before it are whole"
        ) from error
    for old in sorted(folder.glob("step-*"))[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return place


def load_latest(folder: str | Path, model: nn.Module, optimizer: torch.optim.Optimizer, warn=print) -> dict:
    """Bring model and optimizer to the latest whole state; its step, and what was given as `more`.

    A damaged state is named through `warn`, and the one before it is used. Returns {} where no state is;
    raises StateError if there are states and all are damaged, now or when they were set aside, or if one is
    of another model.
    """
    folder = Path(folder)
    for unfinished in folder.glob(".unfinished-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    states = sorted(folder.glob("step-*"), reverse=True)
    for place in states:
        try:
            state = _checked(place)
            weights, moments = (load_file(place / name) for name in NAMES)
            _restore(model, optimizer, weights, moments)
            return {"step": state["step"], **state["more"]}
        except RuntimeError as error:
            first = str(error).splitlines()[1:2] or [str(error)]
            raise StateError(f"{place} is the state of another model ({first[0].strip()})") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
            warn(f"{place} is damaged ({error}): it is set aside, and the state before it is used")
            shutil.rmtree(folder / f"damaged-{place.name}", ignore_errors=True)
            place.rename(folder / f"damaged-{place.name}")
    if states or any(folder.glob("damaged-step-*")):
        raise StateError(
            f"no state in {folder} is whole: delete that folder and the run's log.csv to start the run anew, "
            "or put a whole state back"
        )
    return {}


def wait_for_first(folder: str | Path, begun: bool) -> None:
    """Note in a folder without states that none was written yet; `save_state` takes the note away.

    begun: whether the run has written to its log. Then the note must stand there already: StateError if not,
    because the states that were written are gone.
    """
    note = Path(folder) / WAITING
    if begun and not note.exists():
        raise StateError(
            f"the log has lines, but {folder} holds no state to go on from: put the latest state back, or "
            "delete log.csv to start the run anew"
        )
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()


def _as_read(more: dict) -> dict:
    """What JSON makes of it, such as keys that are texts; StateError for what it can't hold."""
    try:
        return {**json.loads(json.dumps(more))}
    except (TypeError, ValueError) as error:
        raise StateError(
            f"`more` must be a dictionary that JSON can hold ({error}): give plain numbers and texts in it, "
            "such as float(loss)"
        ) from error


def _write(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict) -> None:
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    moments = {
        f"{name}|{key}": value.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }
    files = {}
    for name, tensors in zip(NAMES, (weights, moments), strict=True):
        save_file(tensors, folder / name)
        files[name] = {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
        _sync(folder / name)
    state = state | {"files": files}
    with open(folder / "state.json", "w", encoding="utf-8") as file:
        json.dump(state | {"sha256": _digest(state)}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)


def _checked(place: Path) -> dict:
    state = read_object(place / "state.json")
    digest = state["sha256"]
    del state["sha256"]
    if digest != _digest(state):
        raise ValueError("the content of state.json has changed")
    if place.name != f"step-{state['step']:08}":
        raise ValueError(f"state.json is that of step {state['step']}")
    for name in NAMES:
        wanted, size = state["files"][name], (place / name).stat().st_size
        if size != wanted["bytes"]:
            raise ValueError(f"{name} has {size:,} bytes instead of {wanted['bytes']:,}")
        if sha256_of(place / name) != wanted["sha256"]:
            raise ValueError(f"the bytes of {name} have changed")
    return state


def _restore(model: nn.Module, optimizer: torch.optim.Optimizer, weights: dict, moments: dict) -> None:
    model.load_state_dict(weights)
    parameters = dict(model.named_parameters())
    for key, value in moments.items():
        name, kind = key.split("|")
        parameter = parameters[name]
        # Adam counts its steps in a tensor that may live on the CPU; its moments live beside the weight.
        place = parameter.device if kind != "step" or _counts_on_device(optimizer) else "cpu"
        optimizer.state[parameter][kind] = value.to(place)


def _counts_on_device(optimizer: torch.optim.Optimizer) -> bool:
    return any(group.get("fused") or group.get("capturable") for group in optimizer.param_groups)


def _digest(state: dict) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _sync(path: Path) -> None:
    """Have the system write what it still holds of a file, or of a folder's entries where it can."""
    # Windows and some network disks have no such call for folders.
    with contextlib.suppress(OSError) if path.is_dir() else contextlib.nullcontext():
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
