// SPDX-License-Identifier: Apache-2.0
#include "scoring/rate_net.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "model/encoder.h"
#include "scoring/net_batches.h"
#include "text/rush_sentences.h"
#include "text/tokenizer.h"

namespace unirg::scoring {
namespace {

using at::Tensor;
using Ids = std::vector<int64_t>;

constexpr int64_t kSentenceTokens = 512;
constexpr int64_t kNameTokens = 30;
/// Sentences and names are short: many make a batch, which kBatchTokens bounds.
constexpr size_t kAtOnce = 64;

struct Named {
  std::string name;
  metrics::RateType type = metrics::RateType::anatomy;
};

std::vector<size_t> sizes(const std::vector<Ids>& rows) {
  std::vector<size_t> out;
  for (const Ids& row : rows) out.push_back(row.size());
  return out;
}

void check_labels(const std::vector<std::string>& labels, const std::filesystem::path& folder) {
  for (const std::string& label : labels) {
    const bool marked = label.starts_with("B-") || label.starts_with("I-");
    if (label == "O" || (marked && metrics::rate_type(label.substr(2)))) continue;
    throw Error(Exit::data, fmt::format("'{}': class '{}' is none of RaTEScore's (hint: the folder "
                                        "of RaTE-NER-Deberta is needed)",
                                        folder.string(), label));
  }
  if (labels.empty()) {
    throw Error(Exit::data, fmt::format("'{}' classifies no tokens (hint: the folder of "
                                        "RaTE-NER-Deberta is needed)",
                                        folder.string()));
  }
}

std::string to_bytes(const RateReading& reading) {
  ByteWriter out;
  out.integer(static_cast<int64_t>(reading.names.size()));
  for (size_t i = 0; i < reading.names.size(); ++i) {
    out.string(reading.names[i]);
    out.string(metrics::rate_type_name(reading.entities.types[i]));
  }
  out.floats(reading.entities.vectors);
  return out.bytes();
}

RateReading from_bytes(const std::string& bytes) {
  ByteReader in(bytes);
  RateReading reading;
  for (int64_t n = in.integer(); n > 0; --n) {
    reading.names.push_back(in.string());
    const auto type = metrics::rate_type(in.string());
    if (!type) throw Error(Exit::data, "a stored entity has no type");
    reading.entities.types.push_back(*type);
  }
  reading.entities.vectors = in.floats();
  return reading;
}

}  // namespace

struct RateNet::Impl {
  text::RushRules rules;
  text::Tokenizer pieces, names;
  model::Encoder recognizer, encoder;
  NetCache cache;

  [[nodiscard]] std::vector<Named> decode(const Ids& ids,
                                          const std::vector<std::string>& labels) const {
    std::vector<bool> special;
    for (const int64_t id : ids) {
      const std::string token = pieces.token(id);
      special.push_back(token == "[CLS]" || token == "[SEP]");
    }
    std::vector<Named> found;
    for (const metrics::RateSpan& span : metrics::rate_spans(labels, special)) {
      const Ids own(ids.begin() + static_cast<std::ptrdiff_t>(span.first),
                    ids.begin() + static_cast<std::ptrdiff_t>(span.last) + 1);
      found.push_back(
          {pieces.decode(own, /*skip_special=*/false), metrics::rate_type(span.type).value()});
    }
    return found;
  }

  /// Entities of each sentence.
  [[nodiscard]] std::vector<std::vector<Named>> recognize(
      const std::vector<std::string>& sentences) const {
    std::vector<Ids> ids;
    for (const std::string& s : sentences)
      ids.push_back(pieces.encode(s, {.max_length = kSentenceTokens}));
    std::vector<std::vector<Named>> out(sentences.size());
    for (const auto& chosen : make_batches(sizes(ids), kAtOnce)) {
      std::vector<Ids> batch;
      for (const size_t i : chosen) batch.push_back(ids[i]);
      const Tensor logits = model::encoder_forward(
                                recognizer, model::pad_batch(batch, recognizer.config.pad_token_id))
                                .token_logits;
      const Tensor best = at::argmax(logits, -1).contiguous();  // [B, T]
      for (size_t b = 0; b < chosen.size(); ++b) {
        const int64_t* row =
            best.const_data_ptr<int64_t>() + static_cast<int64_t>(b) * best.size(1);
        std::vector<std::string> labels;
        for (size_t t = 0; t < batch[b].size(); ++t)
          labels.push_back(recognizer.config.labels[static_cast<size_t>(row[t])]);
        out[chosen[b]] = decode(batch[b], labels);
      }
    }
    return out;
  }

  /// Vectors of different names.
  [[nodiscard]] std::map<std::string, std::vector<float>> embed(
      const std::vector<Named>& entities) const {
    std::map<std::string, std::vector<float>> vectors;
    for (const Named& e : entities) vectors[e.name];
    std::vector<Ids> ids;
    std::vector<std::vector<float>*> targets;
    for (auto& [name, vector] : vectors) {
      ids.push_back(names.encode(name, {.max_length = kNameTokens}));
      targets.push_back(&vector);
    }
    for (const auto& chosen : make_batches(sizes(ids), kAtOnce)) {
      std::vector<Ids> batch;
      for (const size_t i : chosen) batch.push_back(ids[i]);
      const Tensor first =
          model::first_token(
              model::encoder_forward(encoder, model::pad_batch(batch, encoder.config.pad_token_id))
                  .hidden.back())
              .contiguous();  // [B, H]
      for (size_t b = 0; b < chosen.size(); ++b) {
        const float* row = first.const_data_ptr<float>() + static_cast<int64_t>(b) * first.size(1);
        targets[chosen[b]]->assign(row, row + first.size(1));
      }
    }
    return vectors;
  }

  /// Readings of texts that share batches.
  [[nodiscard]] std::vector<RateReading> run(const std::vector<std::string>& texts) const {
    std::vector<std::string> sentences;
    std::vector<size_t> owner;
    for (size_t i = 0; i < texts.size(); ++i) {
      for (std::string& s : text::rush_sentences(rules, texts[i])) {
        sentences.push_back(std::move(s));
        owner.push_back(i);
      }
    }
    const auto found = recognize(sentences);
    std::vector<Named> all;
    for (const auto& some : found) all.insert(all.end(), some.begin(), some.end());
    const auto vectors = embed(all);
    std::vector<RateReading> out(texts.size());
    for (size_t s = 0; s < found.size(); ++s) {
      RateReading& reading = out[owner[s]];
      for (const Named& e : found[s]) {
        const std::vector<float>& vector = vectors.at(e.name);
        reading.names.push_back(e.name);
        reading.entities.types.push_back(e.type);
        reading.entities.vectors.insert(reading.entities.vectors.end(), vector.begin(),
                                        vector.end());
      }
    }
    return out;
  }
};

RateNet::RateNet(const std::filesystem::path& recognizer, const std::filesystem::path& encoder,
                 const std::filesystem::path& rules, NetCache cache)
    : impl_(std::make_unique<const Impl>(
          Impl{.rules = text::RushRules::load(rules),
               .pieces = text::Tokenizer::load(recognizer),
               .names = text::Tokenizer::load(encoder),
               .recognizer = model::packed(model::load_encoder(recognizer)),
               .encoder = model::packed(model::load_encoder(encoder)),
               .cache = std::move(cache)})) {
  check_labels(impl_->recognizer.config.labels, recognizer);
}

RateNet::~RateNet() = default;

std::vector<RateReading> RateNet::read(const std::vector<std::string>& texts, bool together) const {
  use_one_thread();
  const at::NoGradGuard no_grad;
  if (together) return impl_->run(texts);
  std::vector<RateReading> out;
  for (const std::string& text : texts) {
    if (const auto known = impl_->cache.get(text)) {
      out.push_back(from_bytes(*known));
      continue;
    }
    out.push_back(std::move(impl_->run({text}).front()));
    impl_->cache.put(text, to_bytes(out.back()));
  }
  return out;
}

}  // namespace unirg::scoring
