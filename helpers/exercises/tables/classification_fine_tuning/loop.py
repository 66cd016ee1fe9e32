"""Notebook 8: the loop over the epochs, which keeps the best."""

import copy
import math

import torch

from helpers import classification
from helpers.classification import Examples, FineTuning
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.classification_fine_tuning.small import small_classifier, small_tokenizer

# 8.8 fine_tune

FINE_TUNE = '''
def my_fine_tune(
    model, train, validation, tokenizer, plan=FineTuning(), on_epoch=lambda *_: None, on_step=None
):
    """Fine-tune; at the end the model is in evaluation mode, with the weights of its best epoch.

    Each epoch: new `labelled_batches` of all texts; `train_epoch`, whose losses are added to the list and
    whose steps are counted on; `evaluate` on `validation`; on_epoch(epoch, what evaluate gave), epochs
    counted from 1. Best is the highest accuracy, of equal ones the earliest. plan.patience, if it is not
    None: stop after so many epochs without a better one. Returns the losses of all steps.
    """
    encodings = check_and_encode(model, train, validation, tokenizer, plan.max_length)
    torch.manual_seed(plan.seed)
    optimizer, schedule = plan.optimizer(model, plan.epochs * math.ceil(len(encodings) / plan.batch_size))
    ...
'''

WORDS = ("good", "bad", "film", "a")
TRAIN = Examples([" ".join(WORDS[i % 4] for i in range(n)) for n in range(1, 10)], [0, 1, 2] * 3)
VALIDATION = Examples(["good", "a bad film", "bad", "film"], [1, 0, 1, 1])
STEPS = 3  # of an epoch: nine texts, four at a time
# The class that the model is made to answer after each epoch, so that right are 1/4, 3/4, 3/4, 0, 1/4, 0 of the texts,
# and how certain it is: the lowest loss comes after epoch 5.
ANSWERS = ((0, 3.0), (1, 6.0), (1, 5.0), (2, 3.0), (0, 0.05), (2, 4.0))
# Right are 1/4, 0, 3/4, 1/4, 0, 0: a setback before the best epoch, the third.
SETBACK = ((0, 3.0), (2, 3.0), (1, 6.0), (0, 0.05), (2, 5.0), (2, 4.0))


class Watched:
    """A small model whose answers after each epoch are chosen; notes what a loop does with it."""

    def __init__(self, answers=ANSWERS):
        self.answers = answers
        self.model = small_classifier(layers=1, vocab_size=9)
        torch.nn.init.zeros_(self.model.classifier.weight)
        self.steps, self.epochs, self.orders = [], [], []
        self.texts = set()

    def on_step(self, step, loss):
        self.steps.append(step)
        if len(self.steps) % STEPS == 0 and len(self.steps) <= STEPS * len(self.answers):
            answer, certainty = self.answers[len(self.steps) // STEPS - 1]
            with torch.no_grad():
                self.model.classifier.bias.zero_()
                self.model.classifier.bias[answer] = certainty

    def on_epoch(self, epoch, result):
        self.epochs.append(epoch)
        self.texts.add(len(result.probabilities))

    def seen(self, module, inputs, output=None):
        if self.model.training:
            self.orders.append(inputs[0].shape[1])

    def kept(self) -> int:
        """The number of the epoch after which the model answered as it does now; 0 for none."""
        for epoch, (answer, certainty) in enumerate(self.answers, 1):
            wanted = torch.zeros(3)
            wanted[answer] = certainty
            if torch.allclose(self.model.classifier.bias.detach(), wanted, atol=1e-3):
                return epoch
        return 0


def run(loop, answers=ANSWERS, **settings):
    watched = Watched(answers)
    hook = watched.model.bert.embeddings.register_forward_hook(watched.seen)
    plan = FineTuning(batch_size=4, learning_rate=1e-7, weight_decay=0.0, **settings)
    losses = loop(
        watched.model, TRAIN, VALIDATION, small_tokenizer(), plan, watched.on_epoch, watched.on_step
    )
    hook.remove()
    return watched, losses


def probe_fine_tune(loop):
    watched, losses = run(loop, epochs=6)
    yield "numbers of the steps", watched.steps
    yield "numbers of the epochs", watched.epochs
    yield "validation texts", sorted(watched.texts)
    yield "losses returned", len(losses)
    yield "each loss is a number", all(isinstance(loss, float) for loss in losses)
    yield "epoch whose weights are kept", watched.kept()
    yield "mode at the end", "training" if watched.model.training else "evaluation"
    epochs = [tuple(watched.orders[i : i + STEPS]) for i in range(0, len(watched.orders), STEPS)]
    yield "epochs differ in their order", len(set(epochs)) > 1
    yield "epochs with a patience of 2", run(loop, epochs=6, patience=2)[0].epochs
    yield "epochs after a setback", run(loop, SETBACK, epochs=6, patience=2)[0].epochs


def loop_with(
    model, train, validation, tokenizer, plan, on_epoch, on_step, *, better=lambda a, b: a > b, count_on=True,
    chosen_on=None, copied=True, put_back=True, fresh=True, tell=True, evaluation=True, late=0, whole=True, join="+",
    value=lambda result: result.accuracy, stop=True, hear=True, at_once=False, anew=True,
):  # fmt: skip
    """The loop with one thing done in another way."""
    encodings = classification.check_and_encode(model, train, validation, tokenizer, plan.max_length)
    torch.manual_seed(plan.seed)
    optimizer, schedule = plan.optimizer(model, plan.epochs * math.ceil(len(encodings) / plan.batch_size))
    losses, best, worse = [], None, 0
    once = list(classification.labelled_batches(encodings, train.labels, plan.batch_size, tokenizer))
    for epoch in range(1, plan.epochs + 1):
        batches = once
        if fresh:
            batches = classification.labelled_batches(encodings, train.labels, plan.batch_size, tokenizer)
        done = (epoch - 1) * STEPS if count_on else 0
        new = classification.train_epoch(model, batches, optimizer, schedule, done, on_step if hear else None)
        losses = losses + new if join == "+" else losses + [new] if join == "append" else new
        result = classification.evaluate(model, chosen_on or validation, tokenizer, plan.max_length)
        if best is None or better(value(result), best[0]):
            state = model.state_dict()
            best = value(result), epoch, copy.deepcopy(state) if copied else state
        worse += best[1] < epoch
        if tell:
            on_epoch(epoch - (not whole), result)
        if at_once and best[1] < epoch:
            break
        if stop and plan.patience and (epoch - best[1] if anew else worse) >= plan.patience + late:
            break
    if evaluation:
        model.eval()
    if put_back:
        model.load_state_dict(best[2])
    return losses


def changed(**options):
    return lambda *args, **kwargs: loop_with(*args, **kwargs, **options)


def with_a_generator_made_once(model, train, validation, tokenizer, plan, on_epoch, on_step):
    encodings = classification.check_and_encode(model, train, validation, tokenizer, plan.max_length)
    torch.manual_seed(plan.seed)
    optimizer, schedule = plan.optimizer(model, plan.epochs * STEPS)
    batches = classification.labelled_batches(encodings, train.labels, plan.batch_size, tokenizer)
    losses, best = [], None
    for epoch in range(1, plan.epochs + 1):
        losses += classification.train_epoch(model, batches, optimizer, schedule, len(losses), on_step)
        result = classification.evaluate(model, validation, tokenizer, plan.max_length)
        if best is None or result.accuracy > best[0]:
            best = result.accuracy, epoch, copy.deepcopy(model.state_dict())
        on_epoch(epoch, result)
        if plan.patience and epoch - best[1] >= plan.patience:
            break
    model.eval().load_state_dict(best[2])
    return losses


def shown(name):
    return lambda parts: parts[name]


KEPT = shown("epoch whose weights are kept")
PATIENT = shown("epochs with a patience of 2")
SET_BACK = shown("epochs after a setback")


def loop_telling_backwards(model, train, validation, tokenizer, plan, on_epoch, on_step):
    return loop_with(
        model, train, validation, tokenizer, plan, lambda epoch, result: on_epoch(result, epoch), on_step
    )


FINE_TUNE_MISTAKES = (
    Mistake(
        "told the other way round",
        loop_telling_backwards,
        "on_epoch is told first the number of the epoch, then what evaluate gave",
        raises=AttributeError,
    ),
    Mistake(
        "last epoch kept",
        changed(put_back=False),
        "the share of right answers after six epochs was 1/4, 3/4, 3/4, 0, 1/4, 0, and the model ends with the weights of "
        "epoch {yours}, expected {expected}. Either nothing puts the best ones back, or what you kept of them is not a "
        "copy: state_dict() hands out the weights themselves, and they go on changing",
        show=KEPT,
    ),
    Mistake(
        "later of two equals",
        changed(better=lambda a, b: a >= b),
        "the share of right answers was 1/4, 3/4, 3/4, 0, 1/4, 0, and the weights of epoch {yours} are kept, expected "
        "{expected}: of two equally good epochs the earlier one has been trained less on its examples",
        show=KEPT,
    ),
    Mistake(
        "first epoch kept",
        changed(better=lambda a, b: False),
        "the share of right answers was 1/4, 3/4, 3/4, 0, 1/4, 0, and the weights of epoch {yours} are kept, expected "
        "{expected}: the first is compared with nothing, and no later one seems to replace it",
        show=KEPT,
    ),
    Mistake(
        "lowest accuracy",
        changed(better=lambda a, b: a < b),
        "the share of right answers was 1/4, 3/4, 3/4, 0, 1/4, 0, and the weights of epoch {yours} are kept, expected "
        "{expected}: you keep the worst. A loss should be low; an accuracy?",
        show=KEPT,
    ),
    Mistake(
        "generator made once",
        with_a_generator_made_once,
        "only {yours} steps were made in six epochs of three: the batches were made once, and a generator that has been "
        "read is empty from the second epoch on",
        show=lambda parts: len(parts["numbers of the steps"]),
    ),
    Mistake(
        "batches made once",
        changed(fresh=False),
        "each epoch has the same batches in the same order: they were made once, before the loop. What should be new in "
        "every epoch?",
    ),
    Mistake(
        "steps counted anew",
        changed(count_on=False),
        "the steps are told as {yours}, expected {expected}: each epoch counts from 1 again. train_epoch can be told how "
        "many were made before",
        show=lambda parts: parts["numbers of the steps"][:8],
    ),
    Mistake(
        "on_step forgotten",
        changed(hear=False),
        "No step is told to on_step; train_epoch calls it if it gets it",
        show=False,
    ),
    Mistake(
        "chosen on the training part",
        changed(chosen_on=TRAIN),
        "the epochs are judged on {yours} texts, expected {expected}: those are the training texts, and a model that "
        "learns them by heart would always look best at the end",
        show=lambda parts: parts["validation texts"][0],
    ),
    Mistake(
        "on_epoch forgotten",
        changed(tell=False),
        "Training works, but nobody is told of the epochs: on_epoch is to be called after each",
    ),
    Mistake(
        "epochs counted from 0",
        changed(whole=False),
        "the epochs are told as {yours}, expected {expected}: people count them from 1",
        show=shown("numbers of the epochs"),
    ),
    Mistake(
        "losses of the last epoch",
        changed(join="last"),
        "{yours} losses come back, expected {expected}: those of the last epoch have taken the place of the earlier ones",
        show=shown("losses returned"),
    ),
    Mistake(
        "a list in the list",
        changed(join="append"),
        "{yours} things come back, expected {expected}: each epoch's list was put into the list as one thing. Its numbers "
        "are what is wanted",
        show=shown("losses returned"),
    ),
    Mistake(
        "left in training mode",
        changed(evaluation=False),
        "right, but at the end the model is in {yours} mode, so the next prediction would drop things",
        show=shown("mode at the end"),
    ),
    Mistake(
        "patience not used",
        changed(stop=False),
        "with a patience of 2 and the best after epoch 2, the epochs {yours} are run, expected {expected}: nothing ends "
        "the loop",
        show=PATIENT,
    ),
    Mistake(
        "patience one too long",
        changed(late=1),
        "with a patience of 2 and the best after epoch 2, the epochs {yours} are run, expected {expected}: you wait one "
        "epoch longer. How many without a better one are over after epoch 4?",
        show=PATIENT,
    ),
    Mistake(
        "patience one too short",
        changed(late=-1),
        "with a patience of 2 and the best after epoch 2, the epochs {yours} are run, expected {expected}: you stop one "
        "epoch early",
        show=PATIENT,
    ),
    Mistake(
        "patience does not start anew",
        changed(anew=False),
        "right so far, but where 1/4, 0, 3/4, 1/4, 0, 0 are right and the patience is 2, the epochs {yours} are run, expected "
        "{expected}: an epoch without a better one is still counted after a better one came. Then waiting starts anew",
        show=SET_BACK,
    ),
    Mistake(
        "last epoch's losses, steps from 1",
        changed(count_on=False, join="last"),
        "the numbers of the steps are {yours}, expected {expected}: they begin anew in every epoch, and so does the list of "
        "losses. Both go on over the epochs: how many steps have been made before?",
        show=shown("numbers of the steps"),
    ),
    Mistake(
        "chosen by the loss",
        changed(value=lambda result: -result.loss),
        "the share of right answers was 1/4, 3/4, 3/4, 0, 1/4, 0, and the weights of epoch {yours} are kept, expected "
        "{expected}: you compare the losses. A model that errs with certainty has a high loss and may be right more often",
        show=KEPT,
    ),
    Mistake(
        "stopped at the first that is no better",
        changed(at_once=True),
        "Only three of six epochs are run: the loop ends as soon as one is no better. Without a patience all are run",
    ),
)

EXERCISES = (
    Exercise(
        id="8.8",
        name="fine_tune",
        reference=classification.fine_tune,
        stub=FINE_TUNE,
        probe=probe_fine_tune,
        hints=(
            "First the loop without anything to choose: batches, train_epoch, evaluate, on_epoch. Then remember the best "
            "accuracy, its epoch, and its weights.",
            "`len(losses)` says how many steps are done. The weights are `model.state_dict()`; what must be done so that "
            "the next epoch doesn't change what you remember?",
            "`copy.deepcopy(model.state_dict())` keeps them, `model.load_state_dict(…)` puts them back. After epoch e, "
            "e minus the best epoch have gone by without a better one.",
        ),
        mistakes=FINE_TUNE_MISTAKES,
        notice="what you have just written is early stopping: the validation part decides how long is long enough, so "
        "its accuracy is no longer an honest estimate, and the test part is needed",
        difficulty=3,
        minutes=20,
        variants=(changed(),),
    ),
)
