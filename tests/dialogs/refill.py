"""Writes into conversation files what the bot answers now: `python -m tests.dialogs.refill [FILE...]`.

For a change of wording. Read the difference before you keep it: what the bot says now may be wrong.
"""

import sys
import tempfile
from pathlib import Path

from storage.database import Database
from tests.dialogs.script import Stage, answer_lines, like, scenes

HERE = Path(__file__).parent


def refill(file: Path, folder: Path) -> None:
    answers: dict[int, list[tuple[str, str]]] = {}
    kept: set[int] = set()
    for number, scene in enumerate(scenes(file)):
        database = Database(f"sqlite:///{folder / f'{file.stem}{number}.db'}", durable=False)
        database.upgrade()
        stage = Stage(scene, database)
        for step in scene.steps:
            answers[step.line] = stage.shown(stage.do(step))
            if like(step.answers, answers[step.line]):
                kept.add(step.line)
        database.close()
    lines, current = [], 0
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        spoken = line.startswith(("    →", "      "))
        if spoken and current not in kept:
            continue
        lines.append(line)
        if number in answers:
            current = number
            if number not in kept:
                lines += answer_lines(answers[number])
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        for path in [Path(arg) for arg in sys.argv[1:]] or sorted(HERE.glob("*.txt")):
            refill(path, Path(temporary))
