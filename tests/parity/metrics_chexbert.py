# SPDX-License-Identifier: Apache-2.0
"""Labels and vectors by f1chexbert, which finds "downloaded" files through XDG_CACHE_HOME and the working folder."""

import torch
from f1chexbert import F1CheXbert
from sklearn.metrics import accuracy_score, classification_report, f1_score

FIVE = (1, 4, 5, 7, 9)


class CheXbert:
    """f1chexbert's labels of each report, CheXbert's vectors, and scikit-learn's F1 of one report."""

    def __init__(self):
        self.labeler = F1CheXbert(device="cpu")
        self.seen = {}

    def read(self, text):
        """(condition called or not, vector), by the package's own calls."""
        if text not in self.seen:
            model, states = self.labeler.model, []
            hook = model.bert.register_forward_hook(lambda _module, _inputs, output: states.append(output[0][0, 0]))
            with torch.no_grad():
                called = self.labeler.get_label(text.strip())
            hook.remove()
            self.seen[text] = called, states[0]
        return self.seen[text]

    def __call__(self, pairs):
        columns = {"sembscore": [], "chexbert-f1-14": [], "chexbert-f1-5": []}
        for truth, text in zip(pairs.references, pairs.predictions):
            (true_labels, true_vector), (labels, vector) = self.read(truth), self.read(text)
            columns["sembscore"].append(torch.nn.functional.cosine_similarity(true_vector, vector, dim=0).item())
            columns["chexbert-f1-14"].append(float(f1_score(true_labels, labels, zero_division=1)))
            five = [[row[i] for i in FIVE] for row in (true_labels, labels)]
            columns["chexbert-f1-5"].append(float(f1_score(*five, zero_division=1)))
        return columns

    def report(self, pairs):
        """f1chexbert's corpus report: (accuracy of 5, all 14, the five)."""
        labels = [[self.read(text)[0] for text in side] for side in (pairs.references, pairs.predictions)]
        five = [[[row[i] for i in FIVE] for row in side] for side in labels]
        print_of = lambda sides: classification_report(*sides, output_dict=True, zero_division=0)
        return accuracy_score(*five), print_of(labels), print_of(five)
