"""What notebook 14 measures by script: few labels by contrast, and a pair classifier that re-ranks.

Sources: Tunstall et al. (2022), section 3; Nogueira and Cho (2019), section 3.
"""

import random
import time
from collections.abc import Callable, Sequence

import bm25s
import numpy as np
import Stemmer
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from helpers import data
from helpers.classification import BertForClassification, encode_texts
from helpers.encoder import Bert, evaluating
from helpers.studies import tasks
from helpers.wordpiece import WordPieceTokenizer, pad_encodings

__all__ = ["bm25_scores", "by_contrast", "contrast_step", "rerank", "sentence_vectors", "train_reranker"]

PLAIN = {"lower": True, "stopwords": "en", "show_progress": False}


def _mean(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The mean over a text's tokens, (B, H): as notebook 14 teaches it."""
    real = attention_mask[:, :, None].to(hidden.dtype)
    return (hidden * real).sum(dim=1) / real.sum(dim=1)


def sentence_vectors(
    bert: Bert, texts: Sequence[str], tokenizer: WordPieceTokenizer, max_length: int = 128
) -> torch.Tensor:
    """The mean over the tokens of each text, (N, H), computed in batches of similar length."""
    encodings = encode_texts(texts, tokenizer, max_length)
    order = sorted(range(len(encodings)), key=lambda index: len(encodings[index].ids))
    found = []
    with evaluating(bert), torch.no_grad():
        for start in range(0, len(order), 64):
            chosen = [encodings[index] for index in order[start : start + 64]]
            batch = pad_encodings(chosen, tokenizer.id_of["[PAD]"])
            found.append(_mean(bert(**batch).last_hidden_state, batch["attention_mask"]))
    return torch.cat(found)[torch.tensor(order).argsort()]


def bm25_scores(
    paragraphs: Sequence[str], questions: Sequence[str], k1: float = 1.5, b: float = 0.75
) -> np.ndarray:
    """BM25 of every paragraph for every question, (Q, N), English stems without stop words."""
    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25(k1=k1, b=b)
    index.index(bm25s.tokenize(list(paragraphs), stemmer=stemmer, **PLAIN), show_progress=False)
    asked = bm25s.tokenize(list(questions), stemmer=stemmer, return_ids=False, **PLAIN)
    return np.stack([index.get_scores(words) if words else np.zeros(len(paragraphs)) for words in asked])


def contrast_step(bert: Bert, texts: Sequence[str], pairs: Sequence[tuple], tokenizer, optimizer) -> float:
    """One step on pairs of texts: the cosine of two vectors is moved to 1 (same label) or 0; the loss."""
    left, right, same = zip(*pairs, strict=True)
    encodings = encode_texts([texts[i] for i in (*left, *right)], tokenizer, 128)
    batch = pad_encodings(encodings, tokenizer.id_of["[PAD]"])
    vectors = _mean(bert(**batch).last_hidden_state, batch["attention_mask"])
    cosines = functional.cosine_similarity(*vectors.chunk(2), dim=1)
    loss = functional.mse_loss(cosines, torch.tensor(same, dtype=torch.float))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def by_contrast(
    task: tasks.Task, labels: int, seed: int, steps: int, draw: Callable, learning_rate: float = 5e-5
) -> dict:
    """minilm tuned on pairs of `labels` sentences, then logistic regression on its vectors: a line.

    `steps` of 16 pairs, which draw(labels, count, generator) makes; 0 leaves the encoder as it is. The
    sentences are those of the fine-tuning table.
    """
    began = time.process_time()
    bert, tokenizer, _ = tasks.load_encoder("minilm")
    run = {"labels": str(labels), "seed": str(seed), "checkpoint": "", "max_length": "128", "reads": ""}
    train, _, _ = tasks.parts(task, run)
    generator = torch.Generator().manual_seed(seed)
    pairs = draw(train.labels, 16 * steps, generator) if steps else []
    optimizer = torch.optim.AdamW(bert.parameters(), lr=learning_rate)
    torch.manual_seed(seed)  # of dropout
    bert.train()
    for start in range(0, len(pairs), 16):
        contrast_step(bert, train.texts, pairs[start : start + 16], tokenizer, optimizer)
    head = LogisticRegression(max_iter=1000).fit(sentence_vectors(bert, train.texts, tokenizer), train.labels)
    accuracy = head.score(sentence_vectors(bert, task.test.texts, tokenizer), task.test.labels)
    line = {"row": "contrast" if steps else "vectors", "labels": labels, "seed": seed, "steps": steps}
    return line | {"test_accuracy": f"{accuracy:.6f}", "seconds": f"{time.process_time() - began:.0f}"}


def train_reranker(
    paragraphs: Sequence[data.Paragraph], count: int, seed: int, negatives: int = 3, note: Callable = print
) -> tuple[BertForClassification, WordPieceTokenizer]:
    """minilm as a pair classifier: question and paragraph in, two logits out; the score is their difference.

    For `count` questions, their paragraph and `negatives` others that BM25 puts before it or near it; the
    loss is the cross-entropy over the scores of these.
    """
    bert, tokenizer, _ = tasks.load_encoder("minilm")
    torch.manual_seed(seed)
    model = BertForClassification(bert, 2)
    dice = random.Random(seed)
    asked = [(n, question.text) for n, paragraph in enumerate(paragraphs) for question in paragraph.questions]
    asked = dice.sample(asked, count)
    texts = [paragraph.text for paragraph in paragraphs]
    scores = bm25_scores(texts, [text for _, text in asked])
    groups = []
    for (own, question), row in zip(asked, scores, strict=True):
        others = [n for n in np.argsort(-row)[:15].tolist() if n != own]
        groups.append([(question, texts[n]) for n in (own, *dice.sample(others, negatives))])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=count // 4)
    model.train()
    for start in range(0, count - 3, 4):
        pairs = [pair for group in groups[start : start + 4] for pair in group]
        logits = pair_scores(model, pairs, tokenizer).view(4, negatives + 1)
        loss = functional.cross_entropy(logits, torch.zeros(4, dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if start % 80 == 0:
            note(f"question {start}: loss {loss.item():.2f}")
    return model, tokenizer


def pair_scores(model: BertForClassification, pairs: Sequence[tuple[str, str]], tokenizer) -> torch.Tensor:
    """How well question and paragraph of each pair fit, (N,): the second logit minus the first."""
    encodings = [tokenizer.encode(question, text[:900], max_length=192) for question, text in pairs]
    batch = pad_encodings(encodings, tokenizer.id_of["[PAD]"])
    logits = model(**batch)
    return logits[:, 1] - logits[:, 0]


@torch.no_grad()
def rerank(
    model: BertForClassification, tokenizer, question: str, texts: Sequence[str], candidates: Sequence[int]
) -> list[int]:
    """The candidates (numbers of texts) in the order of their scores, best first."""
    with evaluating(model):
        scores = pair_scores(model, [(question, texts[n]) for n in candidates], tokenizer)
    return [candidates[n] for n in scores.argsort(descending=True).tolist()]
