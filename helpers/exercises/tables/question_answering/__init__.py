"""Notebook 15: two logits for each token, windows, spans, SQuAD's scores; three published bugs."""

from helpers.exercises.tables.question_answering import bugs, model, questions, scores, spans, windows

EXERCISES = (
    *model.EXERCISES,
    *windows.EXERCISES,
    *spans.EXERCISES,
    *scores.EXERCISES,
    *bugs.EXERCISES,
)
QUESTIONS = questions.QUESTIONS
