// RaTEScore's arithmetic: entities out of labeled pieces, and how two reports' entities match. The
// networks are scoring's. Pure numbers. Source: Zhao et al. 2024 (arXiv:2406.16845); package
// ratescore 0.6.0. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::metrics {

/// In the order of the affinity matrix.
enum class RateType { abnormality, anatomy, disease, non_abnormality, non_disease };
constexpr size_t kRateTypes = 5;
/// "NON-DISEASE" and so on; nullopt for other names.
std::optional<RateType> rate_type(std::string_view name);
std::string_view rate_type_name(RateType type);

/// Pieces first..last (inclusive) of a sentence. An entity that no B opened has an I's type.
struct RateSpan {
  size_t first = 0;
  size_t last = 0;
  std::string type;
  bool operator==(const RateSpan&) const = default;
};

/// Entities of one sentence, as the package reads them: with a look at the next label, and with an
/// end that outlives its entity (a last entity is lost where an earlier one of its chain has
/// ended).
/// \param labels one for each piece, "O", "B-TYPE" or "I-TYPE"; the first and last piece are the
/// special tokens
/// \param is_special whether a piece is the tokenizer's [CLS] or [SEP]; as many as labels
std::vector<RateSpan> rate_spans(const std::vector<std::string>& labels,
                                 const std::vector<bool>& is_special);

struct RateMatrix {
  /// Weight of a match, [query type][type it is matched with].
  std::array<std::array<double, kRateTypes>, kRateTypes> affinity;
  double negation = 1;  ///< factor of matches across a negation
};
/// The package's two: "long" (its default) for reports, "short" for sentences; nullopt otherwise.
std::optional<RateMatrix> rate_matrix(std::string_view name);

/// A report's entities.
struct RateEntities {
  std::vector<RateType> types;
  std::vector<float> vectors;  ///< types.size() rows of equal width; any length
};

/// Each query's best match by cosine, weighted by affinity; 0 if no weight is left. Keys of one
/// name and several types tie: as torch.topk leaves them here, by the rounding of its products in
/// the package. \param queries, keys at least one entity each, vectors of one width
double rate_match(const RateEntities& queries, const RateEntities& keys, const RateMatrix& matrix);

/// Harmonic mean of both directions; 0.5 if either side has no entity, 0 if the directions cancel.
/// Meant as 0..1; negative best cosines leave that range.
double ratescore(const RateEntities& hypothesis, const RateEntities& reference,
                 const RateMatrix& matrix);

}  // namespace unirg::metrics
