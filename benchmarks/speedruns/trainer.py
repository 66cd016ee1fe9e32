"""The Transformers library's Trainer with the live run's numbers, as in `benchmarks/pretraining_race.py`."""

import tempfile
from types import SimpleNamespace

import transformers

from benchmarks.pretraining_race import make_trainer
from helpers.encoder import evaluating
from helpers.studies.story_runs import token_counts
from helpers.training.starts import log_frequencies

WHO = "the course"
WHAT = "the library's Trainer, tuned: our start and numbers, no sentence pairs"
EVERY = 250


def train(data, seed, measure):
    counts = token_counts(data.documents, len(data.tokenizer.vocabulary))
    task = SimpleNamespace(**data._asdict(), frequencies=log_frequencies(counts))

    class Measure(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **more):
            if state.global_step % EVERY == 0:

                def predict(ids, type_ids, attention_mask, positions):
                    found = model(input_ids=ids, token_type_ids=type_ids, attention_mask=attention_mask)
                    return found.logits[positions]

                with evaluating(model):
                    measure(predict, state.global_step)

    with tempfile.TemporaryDirectory() as folder:
        make_trainer(task, True, folder, Measure(), seed).train()
