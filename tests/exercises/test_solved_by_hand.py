"""Stubs solved by readers, who had what stands above them alone (by_hand/): right, and fit for models.

These are other programs than the course's, with loops, other names and another order. They are put into the
cells of their notebooks, checked there and kept; then each model is built once of all that was kept, and does
what the course's does.
"""

import ast
import contextlib
import io
from pathlib import Path

import pytest
import torch

import helpers.encoder
import helpers.pretraining
from helpers.exercises import EXERCISES, building, mine
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from tests.exercises.test_solved import run, solved_cells, space_above

FOLDER = Path(__file__).parent / "by_hand"
FILES = sorted(FOLDER.glob("*.py"))
CONFIG = helpers.encoder.BertConfig(
    vocab_size=30, hidden_size=12, num_layers=2, num_heads=3, intermediate_size=20, max_positions=16
)


def programs(path):
    """{exercise's name for the learner: source} of a file, and the source of its imports."""
    text = path.read_text(encoding="utf-8")
    nodes = ast.parse(text).body
    found = {n.name: ast.unparse(n) for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return found, "\n".join(ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom))


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """Fill, run and check the stubs of each file's notebook; {file: {exercise's id: what was said}}."""
    said = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BERT_COURSE_MINE", str(tmp_path_factory.mktemp("mine")))
        for path in FILES:
            solutions, imports = programs(path)
            notebook = next(e.notebook for e in EXERCISES.values() if e.learner in solutions)
            cells = solved_cells(notebook, lambda e, known=solutions: known[e.learner])
            for exercise, filled, above in cells:
                space = space_above(exercise, filled, above)
                run(imports, space, f"<imports of {exercise.id}>")
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    run(filled, space, f"<by hand, {exercise.id}>")
                said.setdefault(path.stem, {})[exercise.id] = out.getvalue()
            wanted = {e.id for e in EXERCISES.values() if e.notebook == notebook}
            assert set(said[path.stem]) == wanted
        yield said


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_other_programs_are_right_in_their_cells(name, solved):
    for number, out in solved[name].items():
        assert out.startswith(f"{number} right. Notice that"), out
    assert set(solved[name]) <= set(mine.kept())


def test_models_of_all_that_was_kept_are_the_course_s(solved):
    torch.manual_seed(0)
    bert = helpers.encoder.Bert(CONFIG).eval()
    ids = torch.randint(5, CONFIG.vocab_size, (2, 7))
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    build = building.my_bert()
    assert len(build.yours()) >= 6
    with torch.no_grad():
        theirs = bert(ids, attention_mask=mask)
        mine_too = build.model(bert).eval()(ids, attention_mask=mask)
    torch.testing.assert_close(mine_too.last_hidden_state, theirs.last_hidden_state, atol=1e-5, rtol=0)

    build = building.my_pretraining()
    assert len(build.yours()) >= 15
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *"abcdefghijklmnopqrstuvwxy"])
    documents = [[tokenizer.encode(s).ids[1:-1] for s in ("a b c", "d e", "f g h", "i k")] for _ in range(40)]

    def losses(module, model):
        torch.manual_seed(0)
        batches = helpers.pretraining.pretraining_batches(documents, tokenizer, 8, 0)
        return [loss.token_loss for loss in module.pretrain(model, batches, 6)]

    torch.manual_seed(0)
    ours = helpers.pretraining.BertForPreTraining(bert)
    start = {name: value.clone() for name, value in ours.state_dict().items()}
    yours = build.model(ours)
    yours.load_state_dict(start)
    for module in (*ours.modules(), *yours.modules()):  # dropout draws in another order
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name in ("dropout", "p"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    expected = losses(helpers.pretraining, ours)
    assert losses(build.pretraining, yours) == pytest.approx(expected, abs=1e-4)
