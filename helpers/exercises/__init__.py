"""The learner writes: exercises whose checks name the mistake, and questions before their answers.

    commands     what a learner types: check, hint, guess
    exercise     what an exercise is: stub, probe, right function, mistakes, hints
    question     what a question is
    tables       the exercises and questions, a file for each notebook
    references   right functions that are taught and not used again
    judging      how a check comes to its verdict
    comparison   where two results first differ, in a sentence
    limits       a learner's function is run: stopped when it does not end, its printing caught
    sources      the text of a learner's function, in a notebook or a file
    wrong        a wrong program must fail a check, and the check must say why

How to write an exercise: README.md beside this file.
"""

from helpers.exercises.commands import check, guess, hint
from helpers.exercises.tables import EXERCISES, QUESTIONS

__all__ = ["check", "hint", "guess", "EXERCISES", "QUESTIONS"]
