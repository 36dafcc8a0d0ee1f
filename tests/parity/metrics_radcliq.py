# SPDX-License-Identifier: Apache-2.0
"""RadCliQ out of its parts: no package has it; its published pickles hold these numbers (CXR-Report-Metric 9c9ecad, MIT)."""

RADCLIQ = {  # RadGraph, BERTScore, SembScore, BLEU-2: mean, scale, coefficient; intercept
    "radcliq-v0": ([(0.5398376019082272, 0.3018344440559102, -0.4796252644863446),
                    (0.6312549595000001, 0.22466950746141123, -0.6762170542369337),
                    (0.7716797866672277, 0.24750333805236252, -0.46366575161751994),
                    (0.4607372064809605, 0.30336670936092264, 0.2165861905287535)], 1.641666666666666),
    "radcliq-v1": ([(0.5379231241355762, 0.3028258411486429, -0.37708368261038905),
                    (0.6175725628125001, 0.22430938459304575, -0.37030009974480316),
                    (0.7647942121140658, 0.2539439110169773, -0.25261621789593225),
                    (0.44738335396242174, 0.2989271671041838, 4.315048405024756e-12)], 2.466552561323256e-10),
}


def radcliq(columns):
    """From the columns of the four, BERTScore rescaled. A part without a number, or why it has none, is the row's value."""
    rows = list(zip(*(columns[name] for name in ("radgraph", "bertscore", "sembscore", "bleu2"))))

    def value(terms, intercept, row):
        missing = [x for x in row if x is None or isinstance(x, str)]
        if missing:
            return missing[0]
        return intercept + sum((x - mean) / scale * weight for x, (mean, scale, weight) in zip(row, terms))
    return {name: [value(*numbers, row) for row in rows] for name, numbers in RADCLIQ.items()}
