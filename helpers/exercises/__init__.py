"""The learner writes: exercises whose checks name the mistake, and questions before their answers.

    commands     what a learner types: check, hint, guess, restore, forget
    overview     progress: how far the learner is, as a table and a picture
    mine         the learner's functions that passed, kept as files
    building     a BERT of the learner's parts, and which of them breaks it
    exercise     what an exercise is: stub, probe, right function, mistakes, hints
    question     what a question is
    tables       the exercises and questions, a file for each notebook
    references   right functions that are taught and not used again
    steps        a probe that goes no further than the first fault
    judging      how a check comes to its verdict
    likeness     the mistake that a result is most like, where it is none of them as a whole
    comparison   where two results first differ, in a sentence
    errors       what a usual error of Python or PyTorch tells a beginner
    relations    how a wrong result comes from the right one: exchanged, too long, without its last item
    relations_of_numbers   the same for numbers and tensors: another sign, a factor, another order
    limits       a learner's function is run: stopped when it does not end, its printing caught
    sources      the text of a learner's function, in a notebook or a file
    wrong        a wrong program must fail a check, and the check must say why

How to write an exercise: README.md beside this file.
"""

from helpers.exercises.commands import check, forget, guess, hint, restore
from helpers.exercises.overview import progress
from helpers.exercises.tables import EXERCISES, QUESTIONS

__all__ = ["check", "hint", "guess", "progress", "restore", "forget", "EXERCISES", "QUESTIONS"]
__all__ += ["my_tokenizer", "my_bert", "my_pretraining", "my_fine_tuning", "my_reading"]


def __getattr__(name: str):
    """What builds models is imported when it is asked for, for it needs torch."""
    if name in ("my_tokenizer", "my_bert", "my_pretraining", "my_fine_tuning", "my_reading"):
        from helpers.exercises import building

        return getattr(building, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
