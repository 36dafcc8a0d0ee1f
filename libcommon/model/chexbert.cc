// SPDX-License-Identifier: Apache-2.0
#include "model/chexbert.h"

#include <ATen/ops/argmax.h>
#include <fmt/format.h>

#include "base/error.h"
#include "model/config_keys.h"

namespace unirg::model {
namespace {

std::string head_name(size_t head) { return fmt::format("linear_heads.{}", head); }

/// Bytes of the white space character at the start of `text`; 0 if there is none. What Python's
/// `\s` matches: it differs from the tokenizer's blanks, which drops some of these (U+001C, U+0085)
/// and would join the words beside them.
size_t blank_bytes(std::string_view text) {
  const auto byte = [&](size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned a = byte(0);
  if (a == 0x20 || (a >= 0x09 && a <= 0x0D) || (a >= 0x1C && a <= 0x1F)) return 1;
  if (a == 0xC2) return byte(1) == 0x85 || byte(1) == 0xA0 ? 2 : 0;  // U+0085, U+00A0
  const unsigned code = (byte(1) << 8U) | byte(2);
  switch (a) {
    case 0xE1:
      return code == 0x9A80 ? 3 : 0;  // U+1680
    case 0xE2:                        // U+2000-200A, U+2028, U+2029, U+202F, U+205F
      return (code >= 0x8080 && code <= 0x808A) || code == 0x80A8 || code == 0x80A9 ||
                     code == 0x80AF || code == 0x819F
                 ? 3
                 : 0;
    case 0xE3:
      return code == 0x8080 ? 3 : 0;  // U+3000
    default:
      return 0;
  }
}

}  // namespace

Chexbert load_chexbert(const std::filesystem::path& folder, const at::Device& device) {
  const std::filesystem::path file = folder / "config.json";
  EncoderConfig config =
      encoder_config_from_json(read_json_object(file), file.string(), /*default_type=*/"bert");
  if (config.family != EncoderFamily::bert) {
    throw Error(Exit::data, fmt::format("{}: model_type '{}' (hint: CheXbert is a 'bert')",
                                        file.string(), config.model_type));
  }
  config.labels.clear();
  Shapes heads;
  for (size_t k = 0; k < kChexbertHeads; ++k)
    add_dense_shapes(heads, head_name(k), k + 1 < kChexbertHeads ? 4 : 2, config.hidden_size);
  return {load_encoder_weights(folder, config, heads, encoder_naming(config), device)};
}

std::string chexbert_text(std::string_view text) {
  std::string out;
  bool pending = false;
  while (!text.empty()) {
    if (const size_t n = blank_bytes(text); n > 0) {
      pending = !out.empty();
      text.remove_prefix(n);
      continue;
    }
    if (pending) out += ' ';
    pending = false;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

std::vector<int64_t> chexbert_ids(const std::vector<int64_t>& pieces, int64_t cls, int64_t sep) {
  const size_t kept = std::min(pieces.size(), kChexbertTokens - 2);
  std::vector<int64_t> ids{cls};
  ids.insert(ids.end(), pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(kept));
  ids.push_back(sep);
  return ids;
}

ChexbertOutput chexbert_forward(const Chexbert& chexbert, const TokenBatch& batch) {
  ChexbertOutput out;
  out.vectors = first_token(encoder_forward(chexbert.encoder, batch).hidden.back());
  out.classes.resize(batch.lengths.size());
  for (size_t k = 0; k < kChexbertHeads; ++k) {
    out.scores.push_back(dense(chexbert.encoder.parameters, head_name(k), out.vectors));
    const Tensor best = at::argmax(out.scores.back(), -1).to(at::kCPU);
    for (size_t b = 0; b < out.classes.size(); ++b)
      out.classes[b][k] = static_cast<ChexbertClass>(best[static_cast<int64_t>(b)].item<int64_t>());
  }
  return out;
}

}  // namespace unirg::model
