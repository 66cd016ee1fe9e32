"""Texts that are nearly the same: groups of them, by the pieces of words that they share.

Left out: very many texts (all pairs are compared), and meaning: two texts that say the same in other words
are different here.
"""

import re
from collections.abc import Iterable

import numpy as np

__all__ = ["near_duplicates"]


def near_duplicates(texts: Iterable[str], least: float = 0.7) -> np.ndarray:
    """A number for each text (N,), the same for texts that are nearly the same; 0, 1, 2 … in their order.

    Two texts count as nearly the same if the cosine of their counts of pieces of three to five characters is
    at least `least`; case does not matter, nor which digits stand there. A text belongs to a group if it is
    near one member (single linkage). Texts without a letter or digit are near each other. ValueError for no
    texts, something that is no string, or a `least` outside 0 to 1.
    """
    from scipy.sparse.csgraph import connected_components
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = list(texts)
    if not 0 < least <= 1:
        raise ValueError(f"least is a cosine above 0 and at most 1, such as 0.7, not {least}")
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("near duplicates need texts, at least one, and each a string")
    masked = [" ".join(re.sub(r"\d", "0", re.sub(r"[\W_]+", " ", text.lower())).split()) for text in texts]
    counts = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), use_idf=False, sublinear_tf=True)
    pieces = counts.fit_transform([text or "-" for text in masked]).astype(np.float32)
    near = pieces @ pieces.T
    near.data[near.data < least - 1e-5] = 0
    near.eliminate_zeros()
    groups = connected_components(near, directed=False)[1]
    _, first, numbers = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers]
