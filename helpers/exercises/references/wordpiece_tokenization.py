"""Taught in notebook 1 and not used again."""

import unicodedata

__all__ = ["without_accents"]


def without_accents(text: str) -> str:
    """The text in normal form NFD, without its non-spacing marks (category Mn): `é` becomes `e`."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
