"""Notebook 2: counting and joining, the fast trainer, two measures; the questions."""

from helpers.exercises.tables.training_a_vocabulary import counting, fast, loops, measures, questions

EXERCISES = (
    counting.SPLIT,
    counting.PAIR_FREQUENCIES,
    counting.JOIN_EVERYWHERE,
    loops.TRAIN_NAIVELY,
    fast.CHANGED_PAIRS,
    fast.MERGE,
    loops.TRAIN_WORDPIECE,
    measures.TOKENS_PER_WORD,
    measures.LIKELIHOOD_GAIN,
)
QUESTIONS = questions.QUESTIONS
