"""Many texts through a model: batches of similar length, the results in the texts' own order.

`helpers.classification.predict` does the same where it is taught.
"""

from collections.abc import Callable, Iterable

import torch
from torch import nn

from helpers.encoder import evaluating
from helpers.wordpiece import Encoding, pad_encodings, read_in_order

__all__ = ["in_batches"]


@torch.no_grad()
def in_batches(
    model: nn.Module, encodings: Iterable[Encoding], pad_id: int,
    compute: Callable[[dict[str, torch.Tensor]], torch.Tensor], batch_size: int = 64,
) -> torch.Tensor:  # fmt: skip
    """compute(batch), (B, …), for all encodings, read by position: (N, …) on the CPU, in their order.

    A batch has ids, type_ids and attention_mask, each (B, T), on the model's device.
    The model is in evaluation mode meanwhile and as it was afterwards. Half precision becomes single.
    Raises ValueError if there are no encodings.
    """
    encodings = list(read_in_order(encodings, "the encodings"))
    if not encodings:
        raise ValueError("there are no texts: give at least one")
    device = next(model.parameters()).device
    order = sorted(range(len(encodings)), key=lambda index: len(encodings[index].ids))
    parts = []
    with evaluating(model):
        for first in range(0, len(order), batch_size):
            batch = pad_encodings([encodings[index] for index in order[first : first + batch_size]], pad_id)
            found = compute({name: values.to(device) for name, values in batch.items()})
            parts.append(found.to(torch.promote_types(found.dtype, torch.float32)).cpu())
    return torch.cat(parts)[torch.tensor(order).argsort()]
