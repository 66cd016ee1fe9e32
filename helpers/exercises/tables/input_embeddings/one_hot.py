"""One-hot vectors."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

ONE_HOT = '''
def my_one_hot_vectors(ids, num_entries):
    """ids (B, T) -> (B, T, V) floats: a 1 at the place of the id, 0 everywhere else.

    num_entries is V, which may be larger than the largest id that occurs.
    """
    ...
'''


def probe_one_hot(one_hot):
    yield "one text", one_hot(torch.tensor([[2, 4]]), 5)
    yield "two texts", one_hot(torch.tensor([[1, 2, 4], [4, 0, 1]]), 7)  # B = 2, T = 3, V = 7


def one_hot_everywhere(ids, num_entries):
    result = torch.zeros(*ids.shape, num_entries)
    result[:, :, ids] = 1.0
    return result


def one_hot_with_the_id(ids, num_entries):
    result = torch.zeros(*ids.shape, num_entries)
    return result.scatter(2, ids[..., None], ids[..., None].float())


def first_token(parts):
    return parts["one text"][0, 0]


ONE_HOT_MISTAKES = (
    Mistake(
        "whole numbers",
        lambda ids, entries: functional.one_hot(ids, entries),
        "the ones stand where they should, but a product with a table of floats wants floats on both sides",
    ),
    Mistake(
        "as many places as the largest id asks for",
        lambda ids, entries: functional.one_hot(ids).float(),
        "you have as many places as the largest id of this batch needs. The table has V rows, whatever occurs: "
        "what happens when the last entry of the vocabulary isn't in the batch?",
    ),
    Mistake(
        "ones for every id of the batch",
        one_hot_everywhere,
        "the first token has id 2, and its vector is {yours}, expected {expected}: every token got a 1 for every id "
        "that occurs. An index with a whole tensor of ids writes at all of its places at once",
    ),
    Mistake(
        "one place too early",
        lambda ids, entries: torch.eye(entries)[ids - 1],
        "the first token has id 2, and its vector is {yours}, expected {expected}: ids count from 0, and so do places",
    ),
    Mistake(
        "the id instead of 1",
        one_hot_with_the_id,
        "the first token has id 2, and its vector is {yours}, expected {expected}: times the table, this gives "
        "twice the row. By which number is a row multiplied that stays what it is?",
    ),
    Mistake(
        "ones up to the id",
        lambda ids, entries: (torch.arange(entries) <= ids[..., None]).float(),
        "the first token has id 2, and its vector is {yours}, expected {expected}: times the table, this adds up "
        "the rows 0 to 2. Only one row is wanted",
    ),
    Mistake(
        "words counted",
        lambda ids, entries: functional.one_hot(ids, entries).sum(dim=1).float(),
        "you added the tokens of a text up, so its order is lost; each token keeps a vector of its own",
    ),
    Mistake(
        "places before tokens",
        lambda ids, entries: functional.one_hot(ids, entries).float().transpose(1, 2),
        "the V places stand before the tokens: in the product with the table (V, H) they must come last",
    ),
    Mistake(
        "true and false",
        lambda ids, entries: ids[..., None] == torch.arange(entries),
        "true and false stand where they should; a product needs the numbers 1 and 0",
    ),
    Mistake(
        "the place instead of the id",
        lambda ids, entries: torch.eye(entries)[torch.arange(ids.shape[1])].expand(*ids.shape, entries),
        "the first token has id 2, and its vector is {yours}, expected {expected}: the 1 stands at the token's place in "
        "the text. What is looked up is its id",
    ),
    Mistake(
        "zeros and ones exchanged",
        lambda ids, entries: 1 - functional.one_hot(ids, entries).float(),
        "the first token has id 2, and its vector is {yours}, expected {expected}: the 0 stands where the 1 should, and the "
        "other way round",
    ),
    Mistake(
        "all tokens in one row",
        lambda ids, entries: functional.one_hot(ids.flatten(), entries).float(),
        "the texts stand one behind the other, in one long list of tokens; B and T stay two dimensions",
    ),
    Mistake(
        "one place too late",
        lambda ids, entries: torch.eye(entries)[(ids + 1) % entries],
        "the first token has id 2, and its vector is {yours}, expected {expected}: the 1 stands one place behind. Ids count "
        "from 0, as places do",
    ),
)

EXERCISE = Exercise(
    id="3.1",
    name="one_hot_vectors",
    reference=references.one_hot_vectors,
    stub=ONE_HOT,
    probe=probe_one_hot,
    hints=(
        "Two ways: start from zeros and write the ones, or compare each id with all numbers 0, 1, … V - 1.",
        "`ids[..., None]` has the shape (B, T, 1) and `torch.arange(num_entries)` the shape (V,): comparing "
        "them gives (B, T, V). `.float()` makes numbers of true and false.",
    ),
    mistakes=ONE_HOT_MISTAKES,
    notice="each vector sums to 1 and is almost nothing but zeros: with BERT's vocabulary 30,521 of 30,522 numbers",
    difficulty=1,
    minutes=5,
    show=first_token,
    variants=(
        lambda ids, num_entries: functional.one_hot(ids, num_entries).float(),
        lambda ids, num_entries: torch.eye(num_entries)[ids],
    ),
)
