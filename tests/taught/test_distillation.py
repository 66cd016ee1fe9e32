"""Distillation against PyTorch's own loss, closed forms and brute force."""

import pytest
import torch
from torch.nn import functional

from helpers.classification import BertForClassification, FineTuning
from helpers.distillation import (
    Taught,
    distill,
    distillation_loss,
    hidden_state_loss,
    keep_layers,
    layers_to_keep,
    soft_label_loss,
    teacher_answers,
)
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer, pad_encodings

WORDS = ["a", "film", "good", "bad", "dull", "great", "."]
TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])
PAD = TOKENIZER.id_of["[PAD]"]
TEXTS = ["a good film .", "bad", "a great great film", "dull .", "good good good good film", "a bad film ."]


def classifier(layers=6, seed=0, dropout=0.0):
    torch.manual_seed(seed)
    config = BertConfig(len(TOKENIZER.vocabulary), 12, layers, 3, 24, 16, dropout=dropout, init_std=None)
    return BertForClassification(Bert(config), 3, dropout)


def encodings():
    return [TOKENIZER.encode(text) for text in TEXTS]


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_soft_labels_are_pytorchs_divergence(temperature):
    torch.manual_seed(1)
    student, teacher = torch.randn(5, 4, dtype=torch.double), torch.randn(5, 4, dtype=torch.double)
    expected = functional.kl_div(
        (student / temperature).log_softmax(-1), (teacher / temperature).softmax(-1), reduction="batchmean"
    )
    assert torch.isclose(
        soft_label_loss(student, teacher, temperature).double(), temperature**2 * expected, rtol=1e-4
    )
    assert soft_label_loss(teacher, teacher, temperature).abs() < 1e-6


def test_a_high_temperature_matches_centered_logits():
    """Hinton et al. 2015, section 2.1: then the gradient is that of the squared distance, over C."""
    torch.manual_seed(2)
    student, teacher = torch.randn(1, 5).requires_grad_(), torch.randn(1, 5)
    (gradient,) = torch.autograd.grad(soft_label_loss(student, teacher, 1000.0), student)
    gap = (student - student.mean()) - (teacher - teacher.mean())
    assert torch.allclose(gradient, gap.detach() / 5, atol=2e-3)


def test_layers_to_keep():
    assert layers_to_keep(6, 3) == [1, 3, 5] and layers_to_keep(6, 2) == [2, 5]
    assert layers_to_keep(12, 4) == [2, 5, 8, 11]  # TinyBERT: student layer m learns from 3 m
    assert layers_to_keep(5, 5) == [0, 1, 2, 3, 4] and layers_to_keep(5, 1) == [4]
    for count in (0, 7):
        with pytest.raises(ValueError, match="choose from 1 to 6"):
            layers_to_keep(6, count)


def test_a_student_is_a_copy_with_fewer_layers():
    teacher = classifier().requires_grad_(False)
    student = keep_layers(teacher, [1, 3, 5])
    assert student.bert.config.num_layers == 3 and len(teacher.bert.layers) == 6
    assert all(weight.requires_grad for weight in student.parameters())
    for place, layer in zip((1, 3, 5), student.bert.layers, strict=True):
        theirs = teacher.bert.layers[place].state_dict()
        assert all(torch.equal(value, theirs[name]) for name, value in layer.state_dict().items())
    student.bert.layers[0].attention.query.weight.data.zero_()
    assert teacher.bert.layers[1].attention.query.weight.abs().sum() > 0
    for places in ([], [6], [-1]):
        with pytest.raises(ValueError, match="layers 0 to 5"):
            keep_layers(teacher, places)


def test_hidden_states_of_padding_do_not_count():
    torch.manual_seed(3)
    student, teacher = torch.randn(2, 4, 6), torch.randn(2, 4, 6)
    mask = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0]])
    found = hidden_state_loss(student, teacher, mask)
    expected = torch.cat([(student[0] - teacher[0]).flatten(), (student[1, :1] - teacher[1, :1]).flatten()])
    assert torch.isclose(found, expected.square().mean())
    teacher[1, 1:] = 99.0
    assert torch.isclose(hidden_state_loss(student, teacher, mask), found)


def test_what_a_teacher_says_is_in_the_order_of_the_texts():
    teacher = classifier(dropout=0.5).train()
    said = teacher_answers(teacher, encodings(), PAD, places=[1, 5])
    assert teacher.training  # it is left as it was
    teacher.eval()
    for encoding, each in zip(encodings(), said, strict=True):
        output = teacher.bert(**pad_encodings([encoding], PAD), output_hidden_states=True)
        assert torch.allclose(each.logits, teacher.classifier(output.pooled_output)[0], atol=1e-5)
        assert each.hidden.shape == (len(encoding.ids), 2, 12)
        for number, place in enumerate((1, 5)):
            assert torch.allclose(
                each.hidden[:, number].float(), output.hidden_states[place + 1][0], atol=0.02
            )
    assert teacher_answers(teacher, encodings(), PAD)[0].hidden.shape[1] == 0


def test_the_loss_of_a_student_that_is_its_teacher_is_none():
    teacher = classifier().eval()
    said = teacher_answers(teacher, encodings(), PAD, places=range(6))
    batch = pad_encodings(encodings(), PAD)
    assert distillation_loss(teacher, batch, said) < 1e-4  # the states are kept in half precision
    said = [Taught(each.logits + 1.0, each.hidden + 1.0) for each in said]  # + 1 changes no probability
    assert torch.isclose(
        distillation_loss(teacher, batch, said, hidden_weight=0.5), torch.tensor(0.5), atol=0.02
    )
    assert distillation_loss(teacher, batch, said, hidden_weight=0) < 1e-6


def test_a_student_comes_closer_to_its_teacher():
    teacher = classifier(seed=4).eval()
    student = keep_layers(teacher, layers_to_keep(6, 2))
    said = teacher_answers(teacher, encodings(), PAD, places=[2, 5])
    steps = []
    losses = distill(
        student, encodings(), said, PAD, FineTuning(epochs=40, batch_size=4, learning_rate=3e-3),
        on_step=lambda *each: steps.append(each),
    )  # fmt: skip
    assert len(losses) == 80 and steps[-1] == (80, losses[-1]) and not student.training
    assert sum(losses[-8:]) < 0.5 * sum(losses[:8])
