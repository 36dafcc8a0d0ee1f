// SPDX-License-Identifier: Apache-2.0
#include "metrics/radcliq.h"

#include <array>

namespace unirg::metrics {
namespace {

/// A standardised input's share of the sum.
struct Term {
  double mean, scale, coefficient;
};
/// Order: RadGraph, BERTScore, SembScore, BLEU-2.
struct LinearModel {
  std::array<Term, 4> terms;
  double intercept;
};

constexpr LinearModel kV0 = {{{{0.5398376019082272, 0.3018344440559102, -0.4796252644863446},
                               {0.6312549595000001, 0.22466950746141123, -0.6762170542369337},
                               {0.7716797866672277, 0.24750333805236252, -0.46366575161751994},
                               {0.4607372064809605, 0.30336670936092264, 0.2165861905287535}}},
                             1.641666666666666};
constexpr LinearModel kV1 = {{{{0.5379231241355762, 0.3028258411486429, -0.37708368261038905},
                               {0.6175725628125001, 0.22430938459304575, -0.37030009974480316},
                               {0.7647942121140658, 0.2539439110169773, -0.25261621789593225},
                               {0.44738335396242174, 0.2989271671041838, 4.315048405024756e-12}}},
                             2.466552561323256e-10};

double apply(const LinearModel& model, const RadCliqInputs& inputs) {
  const std::array<double, 4> x = {inputs.radgraph, inputs.bertscore, inputs.sembscore,
                                   inputs.bleu2};
  double sum = model.intercept;
  for (size_t i = 0; i < x.size(); ++i)
    sum += (x[i] - model.terms[i].mean) / model.terms[i].scale * model.terms[i].coefficient;
  return sum;
}

}  // namespace

double radcliq_v0(const RadCliqInputs& inputs) { return apply(kV0, inputs); }
double radcliq_v1(const RadCliqInputs& inputs) { return apply(kV1, inputs); }

std::optional<double> radcliq_reciprocal(double corpus_mean) {
  if (!(corpus_mean > 0)) return std::nullopt;
  return 1 / corpus_mean;
}

}  // namespace unirg::metrics
