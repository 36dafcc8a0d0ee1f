// A policy small enough for unit tests: a checkpoint with random weights and a tokenizer of bytes,
// and studies with pictures it can be shown. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/records.h"
#include "image/image.h"
#include "io/jsonl.h"
#include "io/tar.h"
#include "model/checkpoint_tensors.h"
#include "model/qwen3_vl.h"
#include "policy/checkpoint_files.h"
#include "policy/image_processor.h"
#include "policy/report_writer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_train.h"

namespace unirg::testing {

/// Ids 0..255 are the bytes, then Qwen's special tokens: 256 <|endoftext|>, 257 <|im_start|>, 258
/// <|im_end|>, 259 <|vision_start|>, 260 <|vision_end|>, 261 <|image_pad|>, 262 <|video_pad|>.
inline text::Tokenizer byte_tokenizer() { return text::train_bpe({}, 256 + 7); }
inline constexpr int64_t kEnd = 258;
inline constexpr int64_t kImagePad = 261;

/// 272 rows of embedding for 263 tokens: nine are padding, as in published checkpoints.
inline model::ModelConfig tiny_policy_config() {
  model::ModelConfig c;
  c.vision.depth = 2;
  c.vision.hidden_size = 32;
  c.vision.intermediate_size = 48;
  c.vision.num_heads = 4;
  c.vision.num_position_embeddings = 16;
  c.vision.out_hidden_size = 40;
  c.vision.deepstack_visual_indexes = {0, 1};
  c.text.hidden_size = 40;
  c.text.intermediate_size = 56;
  c.text.num_hidden_layers = 2;
  c.text.num_attention_heads = 4;
  c.text.num_key_value_heads = 2;
  c.text.head_dim = 16;
  c.text.rope_theta = 1e4;
  c.text.mrope_section = {4, 2, 2};
  c.text.tie_word_embeddings = true;
  policy::set_token_ids(c, byte_tokenizer());
  c.text.vocab_size = 272;
  return c;
}

/// Pictures of 64 x 64 stay as they are: 4 x 4 patches, four visual tokens.
inline policy::ImageProcessor tiny_processor() {
  return {.patch_size = 16,
          .temporal_patch_size = 2,
          .merge_size = 2,
          .min_pixels = 1024,
          .max_pixels = 4096};
}

/// Writes a whole checkpoint whose weights depend on `seed`.
inline void write_checkpoint(const std::filesystem::path& folder, uint64_t seed) {
  io::make_folders(folder);
  const model::ModelConfig config = tiny_policy_config();
  policy::write_checkpoint_files(folder, config, byte_tokenizer(), tiny_processor());
  model::save_parameters(folder,
                         model::random_parameters(model::expected_parameters(config), seed, 0.2));
}

/// A grey picture whose values depend on `seed`.
inline image::Image8 picture(int64_t seed, int64_t width = 64, int64_t height = 64) {
  image::Image8 p{width, height, 1, {}};
  for (int64_t i = 0; i < width * height; ++i)
    p.pixels.push_back(static_cast<uint8_t>((i * (3 + seed) + i / width * 7) % 251));
  return p;
}

/// An encoded study of one picture and some text, ready for training. \param reply bytes; the end
/// token is added
inline policy::EncodedStudy encoded_study(const std::string& id, int64_t seed,
                                          const std::string& prompt, const std::string& reply) {
  policy::EncodedStudy study{
      id, {259, kImagePad, kImagePad, kImagePad, kImagePad, 260}, {{picture(seed), {4, 4}}}, {}};
  for (const char c : prompt) study.prompt.push_back(static_cast<unsigned char>(c));
  for (const char c : reply) study.reply.push_back(static_cast<unsigned char>(c));
  study.reply.push_back(kEnd);
  return study;
}

/// Writes studies.jsonl into `folder`, with a picture for every image the studies name.
inline std::filesystem::path write_studies(const std::filesystem::path& folder,
                                           std::vector<data::Study> studies) {
  io::TarWriter shard(folder / "images-00000.tar");
  std::string lines;
  int64_t seed = 0;
  for (data::Study& study : studies) {
    for (data::StudyImage& image : study.images) {
      const io::TarSpan span = shard.add(
          image.id + ".png", image::encode_png(picture(seed++, image.width, image.height)));
      image.shard = "images-00000.tar";
      image.offset = span.offset;
      image.bytes = span.bytes;
    }
    lines += io::json_line(data::to_json(study));
  }
  shard.commit();
  io::write_file(folder / "studies.jsonl", lines);
  return folder / "studies.jsonl";
}

/// A training study without report. \param images square pictures of 64 pixels
inline data::Study study(const std::string& id, int64_t images = 1) {
  data::Study s;
  s.study_id = id;
  s.patient_id = "p-" + id;
  s.dataset = "d";
  s.site = "A";
  s.split = "train";
  for (int64_t i = 0; i < images; ++i) {
    data::StudyImage image;
    image.id = id + "-" + std::to_string(i);
    image.width = 64;
    image.height = 64;
    s.images.push_back(image);
  }
  return s;
}

/// Training studies s0, s1, ...
inline std::vector<data::Study> studies(int64_t count) {
  std::vector<data::Study> all;
  for (int64_t i = 0; i < count; ++i) all.push_back(study("s" + std::to_string(i)));
  return all;
}

}  // namespace unirg::testing
