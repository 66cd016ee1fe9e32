"""Notebook 1: words, pieces, normalizing, packing; the questions."""

from helpers.exercises.tables.wordpiece_tokenization import cutting, normalizing, packing, questions, words

EXERCISES = (
    words.JOIN_PIECES,
    cutting.LONGEST_MATCH_FIRST,
    words.IS_PUNCTUATION,
    words.WORD_SPANS,
    normalizing.WITHOUT_ACCENTS,
    normalizing.NORMALIZE_CHARACTER,
    normalizing.NORMALIZE_WITH_ORIGIN,
    cutting.PIECES_OF_CHUNK,
    packing.ADD_SPECIAL_TOKENS,
    packing.TRUNCATE,
    packing.PAD_ENCODINGS,
)
QUESTIONS = questions.QUESTIONS
