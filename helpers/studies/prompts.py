"""Classifiers that read elsewhere than at [CLS]: at a gap, as pretraining asks, or the mean of all tokens.

A gap: Schick and Schütze 2021; Gao, Fisch and Chen 2021. The mean: Reimers and Gurevych 2019, section 3.
Left out: answers by the words of the vocabulary, which need no new layer (`helpers.pretraining.fill_mask`),
and the choice among several prompts.
"""

from collections.abc import Sequence

import torch

from helpers.classification import BertForClassification
from helpers.encoder import Bert
from helpers.wordpiece import WordPieceTokenizer, check_texts

__all__ = ["PROMPT", "MaskClassifier", "MeanClassifier", "as_prompt"]

PROMPT = '"I am so [MASK]!"'  # pretraining stories say the feeling in such sentences, among others


class MaskClassifier(BertForClassification):
    """A classifier that reads the encoder's vector at the one `[MASK]` of each text, not the pooled `[CLS]`.

    Pretraining has taught the encoder to put there what belongs into the gap (Schick and Schütze 2021; Gao,
    Fisch and Chen 2021). What stands after the first [SEP] is the second segment, as in pretraining.
    ValueError for a batch in which a text has no [MASK], or several.
    """

    def __init__(self, bert: Bert, num_classes: int, tokenizer: WordPieceTokenizer, dropout: float = 0.1):
        super().__init__(bert, num_classes, dropout)
        self.mask_id, self.sep_id = tokenizer.id_of["[MASK]"], tokenizer.id_of["[SEP]"]

    def forward(self, ids, type_ids=None, attention_mask=None) -> torch.Tensor:
        gaps = ids == self.mask_id  # (B, T)
        if not (gaps.sum(dim=1) == 1).all():
            raise ValueError("every text needs one [MASK], where the classifier reads")
        ends = (ids == self.sep_id).long()
        type_ids = (ends.cumsum(dim=1) - ends).clamp(max=1)  # 0 up to the first [SEP], then 1
        if attention_mask is not None:
            type_ids = type_ids * attention_mask
        hidden = self.bert(ids, type_ids, attention_mask).last_hidden_state  # (B, T, H)
        return self.classifier(self.dropout(hidden[gaps]))  # (B, C)


class MeanClassifier(BertForClassification):
    """A classifier that reads the mean of the encoder's vectors of a text, padding left out.

    For an encoder that was pretrained by masked words alone, so that nothing has taught it to gather the text
    in [CLS] (Reimers and Gurevych 2019, section 3). Shapes as in BertForClassification.
    """

    def forward(self, ids, type_ids=None, attention_mask=None) -> torch.Tensor:
        hidden = self.bert(ids, type_ids, attention_mask).last_hidden_state  # (B, T, H)
        real = torch.ones_like(ids) if attention_mask is None else attention_mask
        shares = real / real.sum(dim=1, keepdim=True).clamp(min=1)  # (B, T)
        return self.classifier(self.dropout((hidden * shares[..., None]).sum(dim=1)))  # (B, C)


def listed(sentences: Sequence[str]) -> list[str]:
    """The sentences as a list, whatever sequence they come in; ValueError for none, and as `check_texts`."""
    found = [] if isinstance(sentences, str) else list(check_texts(sentences, "sentence"))
    if not found:
        raise ValueError(f"the sentences must be a list with one at least, not {sentences!r}")
    return found


def as_prompt(sentences: Sequence[str], tokenizer: WordPieceTokenizer, max_length: int) -> str:
    """The last three sentences of a story and a gap for the feeling: `two [SEP] the last one, PROMPT`.

    Fewer sentences where they would be longer than max_length tokens; ValueError if one is too long, or there
    is none.
    """
    sentences = listed(sentences)
    for count in (3, 2, 1):
        before = " ".join(sentences[-count:-1])
        text = f"{before} [SEP] {sentences[-1]} {PROMPT}".strip()
        if len(tokenizer.encode(text).ids) <= max_length:
            return text
    raise ValueError(f"the last sentence has no room in {max_length} tokens: choose a longer max_length")
