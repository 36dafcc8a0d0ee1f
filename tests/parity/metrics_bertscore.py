# SPDX-License-Identifier: Apache-2.0
"""BERTScore by bert-score. Takes a PairSet and gives {metric: values}."""

import re
from pathlib import Path

import bert_score

BASELINES = Path(bert_score.__file__).parent / "rescale_baseline/en"
LAYER = 5


class BertScore:
    """bert-score as CXR-Report-Metric calls it: runs of spaces become one, layer 5, padded batches of 64."""

    def __init__(self, folder, idf, rescale):
        self.idf = idf
        self.scorer = bert_score.BERTScorer(
            model_type=str(folder), num_layers=LAYER, idf=idf, nthreads=0, lang="en", rescale_with_baseline=rescale, device="cpu",
            baseline_path=str(BASELINES / f"{folder.name}.tsv") if rescale else None)

    def __call__(self, pairs):
        clean = lambda texts: [re.sub(r" +", " ", text) for text in texts]
        references = clean(pairs.references)
        if self.idf:
            self.scorer.compute_idf(references)
        precision, recall, f1 = self.scorer.score(clean(pairs.predictions), references)
        return {"bertscore-p": precision.tolist(), "bertscore-r": recall.tolist(), "bertscore": f1.tolist()}
