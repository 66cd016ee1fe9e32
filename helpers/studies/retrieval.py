"""What notebook 14 measures by script: few labels by contrast, and a pair classifier that re-ranks.

Sources: Tunstall et al. (2022), section 3; Nogueira and Cho (2019), section 3.
"""

import copy
import random
from collections.abc import Callable, Sequence

import bm25s
import numpy as np
import Stemmer
import torch
from torch.nn import functional

from helpers import data
from helpers.analysis.batches import in_batches
from helpers.classification import BertForClassification, encode_texts
from helpers.encoder import Bert
from helpers.studies import rows, tasks
from helpers.studies.errors import RowError
from helpers.wordpiece import Encoding, WordPieceTokenizer, pad_encodings

__all__ = ["bm25_scores", "by_contrast", "contrast_step", "fit_scores", "rerank", "train_reranker"]

BM25 = {"k1": 1.2, "b": 0.75}  # chosen on the validation articles, in notebook 14
CUT = {"lower": True, "stopwords": "en", "show_progress": False}
MOST_TOKENS, MOST_CHARACTERS = 192, 1_200  # of a pair; what is far beyond is not even split into tokens


def bm25_scores(
    paragraphs: Sequence[str], questions: Sequence[str], k1: float = BM25["k1"], b: float = BM25["b"]
) -> np.ndarray:
    """BM25 of every paragraph for every question, (Q, N), English stems without stop words."""
    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25(k1=k1, b=b)
    index.index(bm25s.tokenize(list(paragraphs), stemmer=stemmer, **CUT), show_progress=False)
    asked = bm25s.tokenize(list(questions), stemmer=stemmer, return_ids=False, **CUT)
    return np.stack([index.get_scores(words) if words else np.zeros(len(paragraphs)) for words in asked])


def contrast_step(
    bert: Bert,
    texts: Sequence[str],
    pairs: Sequence[tuple[int, int, int]],
    tokenizer: WordPieceTokenizer,
    optimizer: torch.optim.Optimizer,
) -> float:
    """One step on pairs of texts: the cosine of two vectors is moved to 1 (same label) or 0; the loss.

    A pair is two numbers of texts and 1 or 0. The loss is the mean squared distance from these.
    """
    left, right, same = zip(*pairs, strict=True)
    encodings = encode_texts([texts[i] for i in (*left, *right)], tokenizer, 128)
    batch = pad_encodings(encodings, tokenizer.id_of["[PAD]"])
    vectors = rows.mean_of_tokens(bert(**batch).last_hidden_state, batch["attention_mask"])
    cosines = functional.cosine_similarity(*vectors.chunk(2), dim=1)
    loss = functional.mse_loss(cosines, torch.tensor(same, dtype=torch.float))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def by_contrast(task: tasks.Task, run: dict, draw: Callable) -> rows.Outcome:
    """The row `frozen` of the fine-tuning table, after the encoder was tuned on pairs of the run's sentences.

    run: that row's settings, and `steps` of 16 pairs each, which draw(labels, count, generator) makes, with a
    `learning_rate`. The run sees the same sentences as the row, and its classifier is chosen in the same way
    on the same validation sentences; only the encoder differs. RowError if there are no two sentences of a
    class, or only one class.
    """
    original, tokenizer, _ = tasks.load_encoder(run["checkpoint"])
    bert = copy.deepcopy(original)  # the one that was loaded serves other runs
    train, validation, test = tasks.parts(task, run)
    labels, seed = list(train.labels), int(run["seed"])
    if len(set(labels)) < 2 or len(set(labels)) == len(labels):
        raise RowError("no pairs can be made of these sentences: use more labels or another seed")
    pairs = draw(labels, 16 * int(run["steps"]), torch.Generator().manual_seed(seed))
    optimizer = torch.optim.AdamW(bert.parameters(), lr=float(run["learning_rate"]))
    torch.manual_seed(seed)  # of dropout
    bert.train()
    for start in range(0, len(pairs), 16):
        contrast_step(bert, train.texts, pairs[start : start + 16], tokenizer, optimizer)
    read = (train.texts, validation.texts, test)
    found = [rows.features(bert, texts, tokenizer, int(run["max_length"])) for texts in read]
    return rows.linear({name: [part[name] for part in found] for name in found[0]}, train, validation)


def train_reranker(
    paragraphs: Sequence[data.Paragraph],
    count: int,
    seed: int,
    checkpoint: str = "minilm",
    learning_rate: float = 2e-4,
    half: bool = False,
    note: Callable = print,
) -> tuple[BertForClassification, WordPieceTokenizer]:
    """An encoder as a pair classifier: question and paragraph in, two logits out.

    It learns from `count` questions, four a step: of each, its own paragraph and three others that stand
    among BM25's first 15. The loss is the cross-entropy over the four `fit_scores`. The learning rate rises
    for a tenth of the steps and sinks to 0. half: the encoder computes in bfloat16, which is faster where
    the processor has it. RowError if there are not so many questions, or fewer than 16 paragraphs.
    """
    asked = [(n, question.text) for n, paragraph in enumerate(paragraphs) for question in paragraph.questions]
    if not 4 <= count <= len(asked) or len(paragraphs) < 16:
        raise RowError(
            f"{len(asked)} questions about {len(paragraphs)} paragraphs: 4 to all of them can be learned "
            f"from, not {count}, and 16 paragraphs is the least"
        )
    dice = random.Random(seed)
    asked = dice.sample(asked, count)
    texts = [paragraph.text for paragraph in paragraphs]
    groups = []
    for (own, question), scores in zip(asked, bm25_scores(texts, [text for _, text in asked]), strict=True):
        others = [n for n in np.argsort(-scores, kind="stable")[:15].tolist() if n != own]
        groups.append([(question, texts[n]) for n in (own, *dice.sample(others, 3))])
    bert, tokenizer, _ = tasks.load_encoder(checkpoint)
    torch.manual_seed(seed)
    model = BertForClassification(copy.deepcopy(bert), 2).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    steps, losses = count // 4, []
    rising = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rising, (steps - step) / max(1, steps - rising))
    )
    for step in range(1, steps + 1):
        encodings = [_encode(tokenizer, *pair) for group in groups[4 * step - 4 : 4 * step] for pair in group]
        scores = _fit(model, pad_encodings(encodings, tokenizer.id_of["[PAD]"]), half).view(4, 4)
        loss = functional.cross_entropy(scores, torch.zeros(4, dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 20 == 0 or step == steps:
            note(f"step {step} of {steps}: loss {np.mean(losses):.2f}")  # since the last note
            losses = []
    return model, tokenizer


def fit_scores(
    model: BertForClassification,
    tokenizer: WordPieceTokenizer,
    pairs: Sequence[tuple[str, str]],
    half: bool = False,
) -> torch.Tensor:
    """How well question and paragraph of each pair fit, (N,): the second logit minus the first."""
    encodings = [_encode(tokenizer, *pair) for pair in pairs]
    return in_batches(model, encodings, tokenizer.id_of["[PAD]"], lambda batch: _fit(model, batch, half), 32)


def rerank(
    scores: torch.Tensor,
    model: BertForClassification,
    tokenizer: WordPieceTokenizer,
    questions: Sequence[str],
    paragraphs: Sequence[str],
    depth: int = 10,
    half: bool = False,
) -> torch.Tensor:
    """New scores (Q, N), a paragraph's place with a minus: the `depth` best of scores (Q, N), sorted anew.

    The rest keeps its order behind them. Sorted by `fit_scores`, the largest first.
    """
    order = scores.argsort(dim=1, descending=True, stable=True)  # (Q, N)
    best = order[:, :depth]
    pairs = [(question, paragraphs[n]) for question, row in zip(questions, best.tolist(), strict=True)
             for n in row]  # fmt: skip
    fits = fit_scores(model, tokenizer, pairs, half).view(best.shape)
    order = torch.cat(
        [best.gather(1, fits.argsort(dim=1, descending=True, stable=True)), order[:, depth:]], 1
    )
    return -(order.argsort(dim=1) + 1).float()


def _encode(tokenizer: WordPieceTokenizer, question: str, paragraph: str) -> Encoding:
    """[CLS] question [SEP] paragraph [SEP], the longer of both cut; warns if it was."""
    return tokenizer.encode(question, paragraph[:MOST_CHARACTERS], max_length=MOST_TOKENS)


def _fit(model: BertForClassification, batch: dict[str, torch.Tensor], half: bool) -> torch.Tensor:
    with torch.autocast(batch["ids"].device.type, torch.bfloat16, enabled=half):
        pooled = model.bert(**batch).pooled_output  # (B, H)
    logits = model.classifier(
        model.dropout(pooled.float())
    )  # (B, 2): single precision, as scores are compared
    return logits[:, 1] - logits[:, 0]
