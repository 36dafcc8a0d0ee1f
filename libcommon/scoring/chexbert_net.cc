// SPDX-License-Identifier: Apache-2.0
#include "scoring/chexbert_net.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "model/chexbert.h"
#include "scoring/net_batches.h"
#include "text/bpe_bytes.h"
#include "text/tokenizer.h"

namespace unirg::scoring {
namespace {

std::string to_bytes(const ChexbertReading& reading) {
  ByteWriter out;
  for (const uint8_t c : reading.classes) out.integer(c);
  out.floats(reading.vector);
  return out.bytes();
}

ChexbertReading from_bytes(const std::string& bytes) {
  ByteReader in(bytes);
  ChexbertReading reading;
  for (uint8_t& c : reading.classes) c = static_cast<uint8_t>(in.integer());
  reading.vector = in.floats();
  return reading;
}

}  // namespace

metrics::ConditionSet called_conditions(const ChexbertReading& reading,
                                        bool uncertain_is_positive) {
  metrics::ConditionSet called{};
  for (size_t c = 0; c < called.size(); ++c)
    called[c] = reading.classes[c] == 1 || (uncertain_is_positive && reading.classes[c] == 3);
  return called;
}

metrics::ConditionSet only_five(const metrics::ConditionSet& called) {
  metrics::ConditionSet out{};
  for (const size_t c : kChexbertFive) out[c] = called[c];
  return out;
}

std::optional<double> sembscore(const ChexbertReading& a, const ChexbertReading& b) {
  UNIRG_ASSERT(a.vector.size() == b.vector.size(), "vectors of one width");
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.vector.size(); ++i) {
    const double x = static_cast<double>(a.vector[i]);
    const double y = static_cast<double>(b.vector[i]);
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  if (aa == 0 || bb == 0) return std::nullopt;
  return dot / (std::sqrt(aa) * std::sqrt(bb));
}

struct ChexbertNet::Impl {
  text::Tokenizer tokenizer;
  model::Chexbert chexbert;
  NetCache cache;
  int64_t cls = 0, sep = 0;

  [[nodiscard]] std::vector<int64_t> ids(const std::string& text) const {
    return model::chexbert_ids(
        tokenizer.encode(model::chexbert_text(text::replace_broken_utf8(text))), cls, sep);
  }
};

ChexbertNet::ChexbertNet(const std::filesystem::path& folder, NetCache cache) {
  text::Tokenizer tokenizer = text::Tokenizer::load(folder);
  const auto cls = tokenizer.id("[CLS]");
  const auto sep = tokenizer.id("[SEP]");
  if (!cls || !sep) {
    throw Error(Exit::data,
                fmt::format("the tokenizer in '{}' has no [CLS] or [SEP]", folder.string()));
  }
  impl_ = std::make_unique<const Impl>(Impl{.tokenizer = std::move(tokenizer),
                                            .chexbert = model::packed(model::load_chexbert(folder)),
                                            .cache = std::move(cache),
                                            .cls = *cls,
                                            .sep = *sep});
}

ChexbertNet::~ChexbertNet() = default;

std::vector<ChexbertReading> ChexbertNet::read(const std::vector<std::string>& texts,
                                               size_t batch_size) const {
  use_one_thread();
  const at::NoGradGuard no_grad;
  std::vector<ChexbertReading> out(texts.size());
  std::vector<size_t> missing;
  std::vector<std::vector<int64_t>> ids;
  std::vector<size_t> lengths;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (const auto known = impl_->cache.get(texts[i])) {
      out[i] = from_bytes(*known);
      continue;
    }
    missing.push_back(i);
    ids.push_back(impl_->ids(texts[i]));
    lengths.push_back(ids.back().size());
  }
  for (const auto& chosen : make_batches(lengths, batch_size)) {
    std::vector<std::vector<int64_t>> batch;
    for (const size_t i : chosen) batch.push_back(ids[i]);
    const model::ChexbertOutput result = model::chexbert_forward(
        impl_->chexbert, model::pad_batch(batch, impl_->chexbert.encoder.config.pad_token_id));
    const at::Tensor vectors = result.vectors.contiguous();  // [B, H]
    const int64_t width = vectors.size(1);
    for (size_t b = 0; b < chosen.size(); ++b) {
      ChexbertReading& reading = out[missing[chosen[b]]];
      for (size_t c = 0; c < reading.classes.size(); ++c)
        reading.classes[c] = static_cast<uint8_t>(result.classes[b][c]);
      const float* row = vectors.const_data_ptr<float>() + static_cast<int64_t>(b) * width;
      reading.vector.assign(row, row + width);
      impl_->cache.put(texts[missing[chosen[b]]], to_bytes(reading));
    }
  }
  return out;
}

}  // namespace unirg::scoring
