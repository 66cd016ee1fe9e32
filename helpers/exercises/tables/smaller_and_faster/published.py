"""Two published bugs of notebook 18, each a small program that shows its symptom."""

import copy

import torch
from torch import nn
from torch.nn import functional

__all__ = ["wrong_two_part_loss", "WrongMergingLinear"]


def wrong_two_part_loss(student, teacher, inputs, labels, temperature=5.0, share=0.5):
    """Soft labels and labels, `share` of the one and the rest of the other: a tensor with one number."""
    with torch.no_grad():
        teacher_logits = teacher(inputs)
    logits = student(inputs)
    targets = functional.log_softmax(teacher_logits / temperature, dim=-1)
    found = functional.log_softmax(teacher_logits / temperature, dim=-1)
    soft = functional.kl_div(found, targets, reduction="batchmean", log_target=True)
    return share * temperature**2 * soft + (1 - share) * functional.cross_entropy(logits, labels)


class WrongMergingLinear(nn.Module):
    """A linear layer with thin matrices beside it, which are merged into it in evaluation mode."""

    def __init__(self, linear, rank, scale):
        super().__init__()
        self.linear, self.scale, self.is_merged = copy.deepcopy(linear).requires_grad_(False), scale, False
        self.down = nn.Parameter(torch.randn(rank, linear.in_features))
        self.up = nn.Parameter(torch.randn(linear.out_features, rank))

    @torch.no_grad()
    def train(self, mode=True):
        super().train(mode)
        if self.is_merged and mode:
            self.linear.weight -= self.scale * self.up @ self.down
            self.is_merged = False
        return self

    @torch.no_grad()
    def eval(self):
        super().eval()
        if not self.is_merged:
            self.linear.weight += self.scale * self.up @ self.down
            self.is_merged = True
        return self

    def forward(self, hidden):
        if self.is_merged:
            return self.linear(hidden)
        return self.linear(hidden) + self.scale * (hidden @ self.down.T @ self.up.T)
