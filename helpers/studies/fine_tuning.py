"""Around the fine-tuning loop: the library's loop, a gap to read at, frozen features, subsets.

Support code for `scripts/fine_tune.py`; `helpers/classification.py` is the loop itself.
"""

import functools
import random
import tempfile
from collections.abc import Sequence

import numpy as np
import torch

from helpers import checkpoints
from helpers.classification import (
    BertForClassification,
    Examples,
    FineTuning,
    check_and_encode,
    encode_texts,
)
from helpers.encoder import Bert
from helpers.wordpiece import WordPieceTokenizer, pad_encodings

__all__ = [
    "MaskClassifier",
    "as_prompt",
    "features",
    "fine_tune_with_trainer",
    "last_sentences",
    "remember_encodings",
    "subset",
]


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


def as_prompt(sentences: Sequence[str], tokenizer: WordPieceTokenizer, max_length: int) -> str:
    """The last three sentences of a story and a gap for the feeling: `two [SEP] the last one, PROMPT`.

    Fewer sentences where they would be longer than max_length tokens; ValueError if one is too long.
    """
    for count in (3, 2, 1):
        before = " ".join(sentences[-count:-1])
        text = f"{before} [SEP] {sentences[-1]} {PROMPT}".strip()
        if len(tokenizer.encode(text).ids) <= max_length:
            return text
    raise ValueError(f"the last sentence has no room in {max_length} tokens: choose a longer max_length")


def fine_tune_with_trainer(
    model: BertForClassification, train: Examples, validation: Examples, tokenizer: WordPieceTokenizer,
    plan: FineTuning,
) -> list[float]:  # fmt: skip
    """The same job by the Transformers library's `Trainer`; returns the validation accuracy of each epoch.

    The model gets the weights of the epoch that is best on `validation`. From the plan come epochs, batch
    size, learning rate, warm-up, weight decay and seed, from the model its start and what is frozen; batches
    are of similar length. All else is the library's own, such as AdamW's second beta of 0.999 (ours is 0.98)
    and the order of the batches. Raises as `check_and_encode` does.
    """
    import transformers

    held_out = encode_texts(validation.texts, tokenizer, plan.max_length)
    encodings = check_and_encode(model, train, validation, tokenizer, plan.max_length)
    pad_id = tokenizer.id_of["[PAD]"]

    def rows(encoded: list, labels: Sequence[int]) -> list[dict]:
        return [
            {"input_ids": encoding.ids, "encoding": encoding, "labels": label}
            for encoding, label in zip(encoded, labels, strict=True)
        ]

    def collate(batch: list[dict]) -> dict[str, torch.Tensor]:
        padded = pad_encodings([row["encoding"] for row in batch], pad_id)
        return {
            "input_ids": padded["ids"],
            "token_type_ids": padded["type_ids"],
            "attention_mask": padded["attention_mask"],
            "labels": torch.tensor([row["labels"] for row in batch]),
        }

    theirs = checkpoints.to_transformers(model)
    frozen = {checkpoints.their_name(name) for name, weight in model.named_parameters()
              if not weight.requires_grad}  # fmt: skip
    for name, weight in theirs.named_parameters():
        weight.requires_grad_(name not in frozen)
    with tempfile.TemporaryDirectory() as folder:
        settings = transformers.TrainingArguments(
            output_dir=folder, seed=plan.seed, num_train_epochs=plan.epochs,
            per_device_train_batch_size=plan.batch_size, per_device_eval_batch_size=64,
            learning_rate=plan.learning_rate, warmup_steps=plan.warm_up, weight_decay=plan.weight_decay,
            lr_scheduler_type="linear", train_sampling_strategy="group_by_length",
            eval_strategy="epoch", save_strategy="epoch", save_total_limit=1, save_only_model=True,
            load_best_model_at_end=True, metric_for_best_model="accuracy", logging_strategy="no",
            remove_unused_columns=False, report_to="none", disable_tqdm=True,
            use_cpu=next(model.parameters()).device.type == "cpu", dataloader_pin_memory=False,
        )  # fmt: skip
        trainer = transformers.Trainer(
            theirs, settings, data_collator=collate, train_dataset=rows(encodings, train.labels),
            eval_dataset=rows(held_out, validation.labels),
            compute_metrics=lambda found: {
                "accuracy": float((found.predictions.argmax(axis=-1) == found.label_ids).mean())
            },
        )  # fmt: skip
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    best = checkpoints.from_transformers(trainer.model)
    model.load_state_dict(best.state_dict())
    return [entry["eval_accuracy"] for entry in trainer.state.log_history if "eval_accuracy" in entry]


@torch.no_grad()
def features(
    bert: Bert, texts: Sequence[str], tokenizer: WordPieceTokenizer, max_length: int = 128
) -> dict[str, np.ndarray]:
    """What a frozen encoder says of each text, (N, H): "[CLS]", its last vector, and "mean" over all tokens.

    [CLS] and [SEP] count in the mean, padding does not.
    """
    bert.eval()
    device = next(bert.parameters()).device
    encodings = encode_texts(texts, tokenizer, max_length)
    order = sorted(range(len(texts)), key=lambda index: len(encodings[index].ids))
    found = {name: np.empty((len(texts), bert.config.hidden_size), np.float32) for name in ("[CLS]", "mean")}
    for start in range(0, len(order), 64):
        indices = order[start : start + 64]
        batch = pad_encodings([encodings[index] for index in indices], tokenizer.id_of["[PAD]"])
        vectors = bert(**{name: values.to(device) for name, values in batch.items()})[0].cpu()  # (B, T, H)
        real = batch["attention_mask"][:, :, None]  # (B, T, 1)
        found["[CLS]"][indices] = vectors[:, 0].numpy()
        found["mean"][indices] = ((vectors * real).sum(dim=1) / real.sum(dim=1)).numpy()
    return found


def subset(examples: Examples, count: int, seed: int) -> Examples:
    """`count` of the examples, drawn with the seed, in their old order.

    With the same seed a larger count contains the smaller one. ValueError for a count that can't be drawn.
    """
    total = len(examples.texts)
    if not 1 <= count <= total:
        raise ValueError(f"{count} of {total} examples can't be drawn: choose from 1 to {total}")
    draw = random.Random(seed).random
    chances = [draw() for _ in range(total)]
    chosen = sorted(sorted(range(total), key=chances.__getitem__)[:count])
    return Examples([examples.texts[i] for i in chosen], [examples.labels[i] for i in chosen])


def last_sentences(sentences: Sequence[str], tokenizer: WordPieceTokenizer, max_length: int) -> str:
    """The end of a text: as many whole sentences as fit into max_length tokens, always the last one."""
    left = max_length - 2  # [CLS] and [SEP]
    for start in range(len(sentences) - 1, -1, -1):
        left -= len(tokenizer.encode(sentences[start]).ids) - 2
        if left < 0:
            return " ".join(sentences[min(start + 1, len(sentences) - 1) :])
    return " ".join(sentences)


def remember_encodings(tokenizer: WordPieceTokenizer) -> WordPieceTokenizer:
    """The same tokenizer, which from now on encodes each text once: several seeds see the same texts.

    Who gets an encoding must not change it.
    """
    tokenizer.encode = functools.lru_cache(maxsize=None)(tokenizer.encode)
    return tokenizer
