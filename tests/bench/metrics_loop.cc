// metrics_loop METRICS COCO_TOKENS REFERENCES PREDICTIONS FIRST: how long our metrics take for
// texts in memory, as metrics_bench.py times a Python package's own calls. REFERENCES and
// PREDICTIONS are JSONL of one text a line; the lines before FIRST warm up. Prints wall and CPU
// seconds of fit() and score() on one thread, and each metric's mean.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <sstream>

#include "io/jsonl.h"
#include "scoring/scorer.h"

namespace {

using unirg::scoring::Scorer;
using Texts = std::vector<std::string>;

Texts read_texts(const char* path, size_t first, bool before) {
  Texts texts;
  std::ifstream file(path);
  size_t at = 0;
  for (std::string line; std::getline(file, line); ++at) {
    if ((at < first) == before) texts.push_back(unirg::io::Json::parse(line).at("text"));
  }
  return texts;
}

std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names;
  std::istringstream stream(list);
  for (std::string name; std::getline(stream, name, ',');) names.push_back(name);
  return names;
}

/// Sums of each metric over the pairs.
std::vector<double> score_all(Scorer& scorer, const Texts& references, const Texts& predictions) {
  scorer.fit(references);
  std::vector<double> sums(scorer.metrics().size());
  for (size_t i = 0; i < references.size(); ++i) {
    const auto scored = scorer.score({references[i], {predictions[i]}});
    for (size_t m = 0; m < sums.size(); ++m) sums[m] += scored[0].values[m].value_or(0);
  }
  return sums;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

int run(char** arguments) {
  unirg::scoring::MetricOptions options;
  options.text.coco_tokens = arguments[2];
  const auto first = static_cast<size_t>(std::stoul(arguments[5]));
  const auto texts = [&](bool before) {
    return std::pair(read_texts(arguments[3], first, before),
                     read_texts(arguments[4], first, before));
  };
  const auto warm = texts(true), timed = texts(false);
  const auto names = names_in(arguments[1]);
  Scorer warm_up(names, options);
  score_all(warm_up, warm.first, warm.second);
  Scorer scorer(names, options);
  const double cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  const auto sums = score_all(scorer, timed.first, timed.second);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  fmt::print("{} {}", wall.count(), cpu_seconds() - cpu);
  for (const double sum : sums) fmt::print(" {}", sum / static_cast<double>(timed.first.size()));
  fmt::print("\n");
  return 0;
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 6) {
    fmt::print(stderr, "usage: metrics_loop METRICS COCO_TOKENS REFERENCES PREDICTIONS FIRST\n");
    return 64;
  }
  return run(arguments);
} catch (const std::exception& error) {
  fmt::print(stderr, "metrics_loop: error: {}\n", error.what());
  return 70;
}
