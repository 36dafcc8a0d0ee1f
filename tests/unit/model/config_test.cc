// SPDX-License-Identifier: Apache-2.0
#include "model/config.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/positions.h"

namespace unirg::model {
namespace {

ModelConfig small() {
  ModelConfig c;
  c.vision.depth = 2;
  c.vision.hidden_size = 32;
  c.vision.num_heads = 4;
  c.vision.deepstack_visual_indexes = {0};
  c.vision.out_hidden_size = c.text.hidden_size = 48;
  c.vision.num_position_embeddings = 16;
  c.text.tie_word_embeddings = true;
  c.image_token_id = 7;
  c.video_token_id = 8;
  c.vision_start_token_id = 5;
  c.vision_end_token_id = 6;
  return c;
}

TEST(Config, travels_through_json) {
  const Json once = to_json(small());
  EXPECT_EQ(to_json(config_from_json(once, "config.json")).dump(), once.dump());
}

TEST(Config, reads_the_layout_of_published_checkpoints) {
  Json object = to_json(small());
  object["text_config"].erase("rope_parameters");
  object["text_config"]["rope_theta"] = 5000000;
  object["text_config"]["rope_scaling"] = {
      {"mrope_interleaved", true}, {"mrope_section", {6, 5, 5}}, {"rope_type", "default"}};
  object["torch_dtype"] = "bfloat16";
  object.erase("dtype");
  const ModelConfig config = config_from_json(object, "config.json");
  EXPECT_EQ(config.text.rope_theta, 5e6);
  EXPECT_EQ(config.text.mrope_section, (std::vector<int64_t>{6, 5, 5}));
  EXPECT_EQ(config.dtype, "bfloat16");
}

TEST(Config, names_the_bad_key) {
  for (const auto& [part, key, value, expected] :
       std::vector<std::tuple<const char*, const char*, Json, const char*>>{
           {"vision_config", "depth", "two", "'depth'"},
           {"text_config", "hidden_size", 0, "'hidden_size'"},
           {"text_config", "head_dim", 33, "'head_dim'"}}) {
    Json object = to_json(small());
    object[part][key] = value;
    try {
      (void)config_from_json(object, "config.json");
      FAIL() << key;
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::data);
      EXPECT_NE(std::string(e.what()).find(expected), std::string::npos) << e.what();
    }
  }
}

TEST(MropePositions, gives_rows_and_columns_to_an_image_and_goes_on_after_its_longer_side) {
  // text, start, 2 x 3 merged tokens, end, text
  const std::vector<int64_t> tokens{1, 5, 7, 7, 7, 7, 7, 7, 6, 2};
  const Positions p = mrope_positions(small(), tokens, {{4, 6}});
  using Place = std::array<int64_t, 3>;
  EXPECT_EQ(p.ids[1], (Place{1, 1, 1}));
  EXPECT_EQ(p.ids[2], (Place{2, 2, 2}));
  EXPECT_EQ(p.ids[4], (Place{2, 2, 4}));
  EXPECT_EQ(p.ids[5], (Place{2, 3, 2}));
  EXPECT_EQ(p.ids[8], (Place{5, 5, 5}));
  EXPECT_EQ(p.next, 7);
}

TEST(MropePositions, refuses_placeholders_that_do_not_match_the_images) {
  EXPECT_THROW((void)mrope_positions(small(), {7, 7, 7}, {{4, 6}}), Error);
  EXPECT_THROW((void)mrope_positions(small(), {1, 2}, {{4, 6}}), Error);
  EXPECT_THROW((void)mrope_positions(small(), {7}, {}), Error);
  EXPECT_THROW((void)mrope_positions(small(), {8}, {}), Error);
}

}  // namespace
}  // namespace unirg::model
