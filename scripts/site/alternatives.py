"""A text in place of each figure, for readers who do not see it.

A figure of a notebook carries no such text. What there is to say stands around it: the titles, axes and
legends in the cell that draws it, and the prose, which says what to look at. Both are put together.
"""

import ast
import re

LONGEST = 400  # characters; a screen reader reads all of it in one breath
ENOUGH = 80  # characters of prose: where a sentence is shorter, its neighbor is read, too
# Calls and arguments of matplotlib that hold words, and what the words are.
TITLES = {"set_title", "title", "suptitle"}
ACROSS, UPWARD = {"set_xlabel", "xlabel", "supxlabel"}, {"set_ylabel", "ylabel", "supylabel"}
SENTENCE_END = re.compile(r"(?<=[.!?:)])\s+(?=[A-Z`*(“\"\[])")


def alternative(source: str, before: str, after: str) -> str:
    """What a figure shows, in words; never empty.

    source: the cell that draws it; before, after: the prose around it, as Markdown ("" where there is none).
    """
    words = words_of(source)
    parts = []
    if words["title"]:
        parts.append("; ".join(words["title"]))
    axes = [f"{name}: {', '.join(words[kind])}" for kind, name in (("x", "across"), ("y", "upward"))]
    axes = [text for kind, text in zip("xy", axes, strict=True) if words[kind]]
    if axes:
        parts.append("Axes " + "; ".join(axes))
    if words["label"]:
        parts.append("Legend: " + "; ".join(words["label"]))
    told = first_sentences(after) or last_sentences(before)
    if told:
        parts.append(told)
    text = " ".join(part if part[-1] in ".!?…" else part + "." for part in parts)
    text = f"Figure. {text}" if text else "Figure, drawn by the cell above."
    return text if len(text) <= LONGEST else text[: LONGEST - 2].rsplit(" ", 1)[0] + " …"


def definitions(source: str) -> dict[str, str]:
    """{name: source} of the functions that a cell defines; a cell with a line for the shell has none."""
    if re.search(r"^\s*[!%]", source, re.M):
        return {}
    found = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.unparse(node) for node in found}


def with_what_it_calls(source: str, defined: dict[str, str]) -> str:
    """A cell's source, and below it the functions of earlier cells that it calls: they may do the drawing."""
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = dict.fromkeys(getattr(function, "id", "") for function in calls)
    return "\n\n".join([source, *(defined[name] for name in names if name in defined)])


def words_of(source: str) -> dict[str, list[str]]:
    """{"title", "x", "y", "label": words, each once} of a cell that draws; computed words are left out."""
    found = {"title": [], "x": [], "y": [], "label": []}

    def note(kind, node):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = " ".join(node.value.split())
            if text and not text.startswith("_") and text not in found[kind]:
                found[kind].append(plain(text))

    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if node.args:
            for kind, names in (("title", TITLES), ("x", ACROSS), ("y", UPWARD)):
                if name in names:
                    note(kind, node.args[0])
        for keyword in node.keywords:
            if keyword.arg == "title" and name != "legend":
                note("title", keyword.value)
            elif keyword.arg in ACROSS or keyword.arg == "label" and "xaxis" in ast.unparse(node.func):
                note("x", keyword.value)
            elif keyword.arg in UPWARD:
                note("y", keyword.value)
            elif keyword.arg == "label":
                note("label", keyword.value)
    return found


def first_sentences(markdown: str) -> str:
    """How a cell of prose begins, "" where that is a heading, a list or a table."""
    return " ".join(_enough(_sentences(markdown.strip().split("\n\n")[0])))


def last_sentences(markdown: str) -> str:
    """How the last paragraph of prose ends."""
    paragraphs = [told for told in map(_sentences, markdown.strip().split("\n\n")) if told]
    return " ".join(_enough(paragraphs[-1][::-1])[::-1]) if paragraphs else ""


def _sentences(paragraph: str) -> list[str]:
    """A paragraph's sentences; those in parentheses are asides."""
    if not paragraph or re.match(r"#|[-*] |\d+\. |\||<|!\[|\$\$|```|\*Write yours first", paragraph):
        return []
    told = [sentence.rstrip(":") for sentence in SENTENCE_END.split(plain(paragraph))]
    return [text if text[-1:] in ".!?…" else text + "." for text in told if text and text[0] != "("]


def _enough(sentences: list[str]) -> list[str]:
    """As many sentences as it takes to say something."""
    taken = []
    for sentence in sentences:
        if sum(map(len, taken)) < ENOUGH:
            taken.append(sentence)
    return taken


def plain(markdown: str) -> str:
    """Markdown as words: no emphasis, code marks, links or TeX."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\$([^$]*)\$", lambda formula: _spoken(formula[1]), text)
    text = re.sub(r"[`]|\*\*|(?<!\w)[*_]|[*_](?!\w)", "", text)
    return " ".join(text.split())


def _spoken(formula: str) -> str:
    """A short formula without TeX's commands: names of commands stay as words."""
    formula = re.sub(r"\\(?:mathrm|mathbf|text|operatorname)\b|[{}]|\\[,;! ]", "", formula)
    return re.sub(r"\\([A-Za-z]+)", r" \1 ", formula)
