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
    """ratescore. A text without a sentence shifts its lists, so such pairs are asked for one by one."""

    def __init__(self, ner, embedder, matrix, batch_size=8):
        self.sentences = RaTEScore.score.sentence_split = Sentences()
        with quiet():
            self.scorer = RaTEScore.RaTEScore(bert_model=str(ner), eval_model=str(embedder), use_gpu=False,
                                              affinity_matrix=matrix, batch_size=batch_size)

    def score(self, predictions, references):
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [float(value) for value in self.scorer.compute_score(predictions, references)]

    def alone(self, text, truth):
        try:
            scores = self.score([text], [truth])
        except Exception:  # whatever it is, the package has no answer
            return None
        return scores[0] if len(scores) == 1 else None

    def __call__(self, pairs, chunk=200):
        has = lambda text: bool(self.sentences.of(text)[0])
        whole = [i for i in range(len(pairs.ids)) if has(pairs.references[i]) and has(pairs.predictions[i])]
        values = [None] * len(pairs.ids)
        for begin in range(0, len(whole), chunk):
            part = whole[begin:begin + chunk]
            scores = self.score([pairs.predictions[i] for i in part], [pairs.references[i] for i in part])
            for i, score in zip(part, scores, strict=True):
                values[i] = score
        for i in set(range(len(pairs.ids))) - set(whole):
            values[i] = self.alone(pairs.predictions[i], pairs.references[i])
        return {"ratescore": values}
