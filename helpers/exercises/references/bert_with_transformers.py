"""Taught in notebook 11 and not used again: programs with a published fault, repaired."""

__all__ = ["sentence_vectors", "token_types", "masked_batch"]


def sentence_vectors(model, batch):
    """A vector for each text, (B, H): the mean of the vectors of its tokens, padding left out."""
    hidden = model(**batch).last_hidden_state  # (B, T, H)
    visible = batch["attention_mask"][..., None]  # (B, T, 1)
    return (hidden * visible).sum(dim=1) / visible.sum(dim=1)


def token_types(input_ids):
    """The type ids of [CLS] question [SEP] text [SEP], a list: 0 up to the first [SEP] (id 102), then 1."""
    end = input_ids.index(102)
    return [0 if place <= end else 1 for place in range(len(input_ids))]


def masked_batch(input_ids, attention_mask, hidden, mask_id):
    """The batch for BertForMaskedLM: where `hidden` (B, T) is True [MASK] stands, and only these count."""
    labels = input_ids.masked_fill(~hidden, -100)
    corrupted = input_ids.masked_fill(hidden, mask_id)
    return {"input_ids": corrupted, "attention_mask": attention_mask, "labels": labels}
