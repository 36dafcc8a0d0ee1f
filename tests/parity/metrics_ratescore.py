# SPDX-License-Identifier: Apache-2.0
"""RaTEScore by ratescore 0.6.0. Takes a PairSet and gives {metric: values}."""

import contextlib
import io
import warnings

import torch
from loguru import logger

logger.remove()  # the sentence splitter tells every step
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import RaTEScore
    import RaTEScore.score
    import RaTEScore.scorer


def quiet():
    return contextlib.redirect_stdout(io.StringIO())


class Sentences:
    """The package's sentences, each text split once: most of its time goes there, and every report is asked for often."""

    def __init__(self):
        self.split, self.seen = RaTEScore.score.sentence_split, {}

    def of(self, text):
        if text not in self.seen:
            self.seen[text] = self.split([text])
        return self.seen[text]

    def __call__(self, texts):
        parts = [self.of(text) for text in texts]
        return [s for sentences, _ in parts for s in sentences], [start for _, starts in parts for start in starts]


class Rate:
    """ratescore's own values; a reason instead of a value where it has none that another program could have."""

    def __init__(self, ner, embedder, matrix, batch_size=8):
        self.ties = Ties()
        self.sentences = RaTEScore.score.sentence_split = Sentences()
        with quiet():
            self.scorer = RaTEScore.RaTEScore(bert_model=str(ner), eval_model=str(embedder), use_gpu=False,
                                              affinity_matrix=matrix, batch_size=batch_size)

    def score(self, predictions, references):
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [float(value) for value in self.scorer.compute_score(predictions, references)]

    def alone(self, text, truth):
        """A pair by itself: a text without a sentence shifts the package's lists, and ties are told apart by pair."""
        self.ties.clear()
        try:
            scores = self.score([text], [truth])
        except Exception:  # whatever it is, the package has no answer
            scores = []
        if len(scores) != 1:
            return "a side without a sentence: the package fails"
        return TIED if any(self.ties) else scores[0]

    def __call__(self, pairs):
        return {"ratescore": [self.alone(text, truth) for text, truth in zip(pairs.predictions, pairs.references)]}


TIED = "entities of different types match equally well: the package's pick hangs on rounding"


class Ties(list):
    """Tells of each matching whether another best match would have had another type."""

    def __init__(self):
        super().__init__()
        self.compute = getattr(RaTEScore.scorer.compute, "compute", RaTEScore.scorer.compute)
        watched = lambda *given: self.watch(*given)
        watched.compute = self.compute
        RaTEScore.scorer.compute = watched

    def watch(self, queries, keys, query_types, key_types, matrix):
        cosines = torch.nn.functional.normalize(queries, dim=1) @ torch.nn.functional.normalize(keys, dim=1).T
        near = cosines >= cosines.max(1, keepdim=True).values - 1e-6
        self.append(any(len({key_types[k] for k in row.nonzero().flatten().tolist()}) > 1 for row in near))
        return self.compute(queries, keys, query_types, key_types, matrix)
