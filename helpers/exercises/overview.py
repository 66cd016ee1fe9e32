"""How far the learner is: a line for each notebook, and a picture of it."""

from helpers.exercises import mine
from helpers.exercises.tables import EXERCISES, NOTEBOOKS, QUESTIONS

__all__ = ["progress", "counts"]


def counts() -> dict[int, dict[str, int]]:
    """{notebook: {"exercises", "right", "not yet", "questions", "guessed", "minutes"}}, tried or not.

    minutes: what the exercises that are left take a beginner.
    """
    noted, kept = mine.noted(), mine.kept()
    found = {}
    for notebook in NOTEBOOKS:
        tasks = [e for e in EXERCISES.values() if e.notebook == notebook]
        asked = [q for q in QUESTIONS.values() if q.notebook == notebook]
        right = [e for e in tasks if e.id in kept or noted.get(e.id) == "right"]
        if tasks or asked:
            found[notebook] = {
                "exercises": len(tasks),
                "right": len(right),
                "not yet": sum(noted.get(e.id) == "not yet" for e in tasks if e not in right),
                "questions": len(asked),
                "guessed": sum(noted.get(q.id) == "right" for q in asked),
                "minutes": sum(e.minutes for e in tasks if e not in right),
            }
    return found


def progress() -> None:
    """Print how many exercises and questions of each notebook are done, and draw it; nothing if none is."""
    table = counts()
    if not any(row["right"] + row["not yet"] + row["guessed"] for row in table.values()):
        return
    print(f"{'notebook':<34} exercises   questions   left")
    for notebook, row in table.items():
        done = f"{row['right']:>3} of {row['exercises']:<2}   {row['guessed']:>3} of {row['questions']:<2}"
        left = f"{row['minutes']:>4} min" if row["minutes"] else "   done" if row["exercises"] else ""
        print(f"{notebook:02} {NOTEBOOKS[notebook].replace('_', ' '):<31} {done}  {left}")
    _draw(table)


def _draw(table: dict[int, dict[str, int]]) -> None:
    """Exercises of each notebook as a bar: right, tried, open."""
    import matplotlib.pyplot as plt

    rows = {notebook: row for notebook, row in table.items() if row["exercises"]}
    figure, axis = plt.subplots(figsize=(6.4, 0.6 + 0.24 * len(rows)))
    places, start = range(len(rows)), [0] * len(rows)
    for key, color, hatch in (("right", "0.25", ""), ("not yet", "0.6", "//"), ("open", "0.9", "")):
        sizes = [r[key] if key in r else r["exercises"] - r["right"] - r["not yet"] for r in rows.values()]
        axis.barh(places, sizes, left=start, color=color, hatch=hatch, edgecolor="white", label=key)
        start = [a + b for a, b in zip(start, sizes, strict=True)]
    axis.set_yticks(places, [f"{notebook:02}" for notebook in rows])
    axis.invert_yaxis()
    axis.set(xlabel="exercises", ylabel="notebook")
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    plt.show()
