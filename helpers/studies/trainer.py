"""The Transformers library's training loop in the place of ours, `helpers.classification.fine_tune`."""

import tempfile
from collections.abc import Sequence

import torch

from helpers import checkpoints
from helpers.classification import (
    BertForClassification,
    Examples,
    FineTuning,
    check_and_encode,
    encode_texts,
)
from helpers.studies.tasks import as_examples
from helpers.wordpiece import WordPieceTokenizer, pad_encodings

__all__ = ["fine_tune_with_trainer"]


def fine_tune_with_trainer(
    model: BertForClassification, train: Examples, validation: Examples, tokenizer: WordPieceTokenizer,
    plan: FineTuning,
) -> list[float]:  # fmt: skip
    """The same job by the Transformers library's `Trainer`; returns the validation accuracy of each epoch.

    The model gets the weights of the epoch that is best on `validation`. From the plan come epochs, batch
    size, learning rate, warm-up, weight decay and seed, from the model its start and what is frozen; batches
    are of similar length. All else is the library's own, such as AdamW's second beta of 0.999 (ours is 0.98)
    and the order of the batches. Raises as `check_and_encode` does; ValueError for a plan with a layer decay
    or patience, and if all weights are frozen.
    """
    if plan.layer_decay != 1 or plan.patience is not None:
        raise ValueError(
            f"the Trainer has one learning rate for all layers and takes every epoch: leave layer_decay "
            f"{plan.layer_decay} and patience {plan.patience} away"
        )
    if not any(weight.requires_grad for weight in model.parameters()):
        raise ValueError("all weights are frozen: call requires_grad_(True) on the parts that are to learn")
    import transformers

    train, validation = as_examples(train), as_examples(validation)
    held_out = encode_texts(validation.texts, tokenizer, plan.max_length)
    encodings = check_and_encode(model, train, validation, tokenizer, plan.max_length)
    pad_id = tokenizer.id_of["[PAD]"]

    def rows(encoded: list, labels: Sequence[int]) -> list[dict]:
        return [
            {"input_ids": encoding.ids, "encoding": encoding, "labels": int(label)}
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
    theirs.dropout.p = model.dropout.p
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
