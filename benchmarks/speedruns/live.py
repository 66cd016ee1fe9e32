"""The reference: notebook 6's live run as it is, next-sentence loss and all."""

from types import SimpleNamespace

from helpers.encoder import evaluating
from helpers.studies.story_runs import RECIPE, run, token_counts
from helpers.training.starts import log_frequencies

WHO = "the course"
WHAT = "notebook 6's live run"


def train(data, seed, measure):
    counts = token_counts(data.documents, len(data.tokenizer.vocabulary))
    task = SimpleNamespace(**data._asdict(), frequencies=log_frequencies(counts))

    def on_measure(step, tokens, seconds, model):
        with evaluating(model):
            measure(lambda *batch: model(*batch).token_logits, step)

    run(task, RECIPE, seed, 250, on_measure)
