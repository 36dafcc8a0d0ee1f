# SPDX-License-Identifier: Apache-2.0
"""RadGraph by radgraph 0.1.18. Takes a PairSet and gives {metric: values}."""

import contextlib
import copy
import io

import torch
from radgraph import F1RadGraph, RadGraph
from radgraph.rewards import compute_reward

MOST_WORDS = 800  # it holds all pairs of half the words at once: 2,000 words took more than 10 GB and 10 minutes
LEVELS = ("simple", "partial", "complete")
METRICS = [f"radgraph-{level}{version}" for version in ("", "-0.1.18") for level in LEVELS] + ["radgraph"]


def quiet():
    return contextlib.redirect_stdout(io.StringIO())


class Graphs:
    """radgraph's rewards. Its graphs are kept: the same rewards are asked of several versions."""

    def __init__(self, name, cache, double=False):
        with quiet():
            self.radgraph = RadGraph(model_type=name, model_cache_dir=str(cache), cuda=-1)
        if double:
            self.radgraph.model.double()
        self.name, self.seen = name, {}

    def graph(self, text):
        """None where the package fails (on a report of white space alone) or wants too much memory."""
        if len(text.split()) > MOST_WORDS:
            return None
        if text not in self.seen:
            try:
                with torch.no_grad(), quiet():
                    self.seen[text] = self.radgraph([text])["0"]
            except (AssertionError, KeyError):
                self.seen[text] = None
        return self.seen[text]

    @staticmethod
    def combined(truth, text):
        """RadGraph F1 of CXR-Report-Metric: entities and relations, half each; not part of any package."""
        def sets(graph):
            entities = graph["entities"]
            key = lambda entity: (entity["tokens"], entity["label"])
            relations = {(key(e), key(entities[target]), kind) for e in entities.values() for kind, target in e["relations"]}
            return {key(e) for e in entities.values()}, relations
        f1 = lambda a, b: 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0
        return sum(f1(a, b) for a, b in zip(sets(truth), sets(text))) / 2

    @staticmethod
    def lowered(graph):
        """With tokens in lower case: what the package's newest commit does first."""
        other = copy.deepcopy(graph)
        for entity in other["entities"].values():
            entity["tokens"] = entity["tokens"].lower()
        return other

    def values(self, truth, text):
        """{metric: value} of a pair; the packages ask for no graph where a side is empty, and give 0."""
        if not truth or not text:
            return dict.fromkeys(METRICS, 0.0)
        graphs = self.graph(text), self.graph(truth)
        if None in graphs:
            return dict.fromkeys(METRICS)
        values = {"radgraph": self.combined(*graphs)}
        for version, change in (("", self.lowered), ("-0.1.18", lambda graph: graph)):
            rewards = compute_reward(*map(change, graphs), "all")
            values |= {f"radgraph-{level}{version}": float(reward) for level, reward in zip(LEVELS, rewards)}
        return values

    def __call__(self, pairs):
        rows = [self.values(*pair) for pair in zip(pairs.references, pairs.predictions)]
        return {metric: [row[metric] for row in rows] for metric in METRICS}


def check_rewards(graphs, pairs):
    """That Graphs gives what the package's own F1RadGraph gives: a few pairs, for it infers every text anew."""
    scorer = F1RadGraph.__new__(F1RadGraph)
    torch.nn.Module.__init__(scorer)
    scorer.reward_level, scorer.radgraph = "all", graphs.radgraph
    with torch.no_grad(), quiet():
        _, rewards, _, _ = scorer(refs=pairs.references, hyps=pairs.predictions)
    columns = graphs(pairs)
    return all(list(map(float, reward)) == columns[f"radgraph-{level}-0.1.18"]
               for reward, level in zip(rewards, LEVELS))
