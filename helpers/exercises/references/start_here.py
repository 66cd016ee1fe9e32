"""Taught in notebook 0 and not used again."""

__all__ = ["head_width"]


def head_width(hidden_size, num_heads):
    """D = H / A, as a whole number; ValueError where the heads can't share the hidden size evenly."""
    if hidden_size % num_heads:
        raise ValueError(f"{hidden_size} numbers can't be shared by {num_heads} heads: choose a divisor")
    return hidden_size // num_heads
