"""Input embeddings: what a token, its place and its segment add to the vector that the encoder starts from.

Left out: relative and rotary positions, which later models use instead of a learned table.
"""

import torch
from torch import nn

__all__ = ["BertEmbeddings"]


class BertEmbeddings(nn.Module):
    """Token + position + segment embeddings, LayerNorm, dropout.

    ids and type_ids: (B, T) long -> (B, T, H). pad_token_id: the entry that a look-up teaches nothing, [PAD].
    Raises ValueError for more tokens than there are positions, and for a [PAD] outside the vocabulary.
    Sum: Devlin et al. 2018, section 3, figure 2; LayerNorm, dropout, eps: google-research/bert, modeling.py.
    """

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        max_positions: int = 512,
        num_segments: int = 2,
        dropout: float = 0.1,
        norm_eps: float = 1e-12,
        pad_token_id: int | None = 0,
    ):
        super().__init__()
        if pad_token_id is not None and not 0 <= pad_token_id < vocab_size:
            raise ValueError(f"pad_token_id must be an entry, 0 to {vocab_size - 1}, not {pad_token_id}")
        self.token = nn.Embedding(vocab_size, hidden_size, padding_idx=pad_token_id)
        self.position = nn.Embedding(max_positions, hidden_size)
        self.segment = nn.Embedding(num_segments, hidden_size)
        self.norm = nn.LayerNorm(hidden_size, eps=norm_eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: torch.Tensor, type_ids: torch.Tensor | None = None) -> torch.Tensor:
        if ids.shape[1] > self.position.num_embeddings:
            raise ValueError(
                f"{ids.shape[1]} tokens, but the model has only {self.position.num_embeddings} positions: "
                "encode the texts with a max_length"
            )
        if type_ids is None:
            type_ids = torch.zeros_like(ids)
        places = torch.arange(ids.shape[1], device=ids.device)  # (T,)
        # (B, T, H), added in the library's order, so that both round alike
        summed = self.token(ids) + self.segment(type_ids) + self.position(places)
        return self.dropout(self.norm(summed))
