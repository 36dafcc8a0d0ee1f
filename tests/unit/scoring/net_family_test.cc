// The family as a whole, on networks of a few random numbers. SPDX-License-Identifier: Apache-2.0
#include "scoring/net_family.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "io/atomic_file.h"
#include "metrics/bleu.h"
#include "metrics/radcliq.h"
#include "metrics/radgraph.h"
#include "scoring/label_sums.h"
#include "temp_folder.h"
#include "tiny_nets.h"

namespace unirg::scoring {
namespace {

const TextGroup kGroup{"Heart size is normal. Small left pleural effusion.",
                       {"Heart is normal. Small effusion on the left.",
                        "Heart size is normal. Small left pleural effusion.", "",
                        "Heart is normal. Small effusion on the left.", "  No   acute disease."}};

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const MetricInfo& m : net_metrics({})) names.push_back(m.name);
  return names;
}

class NetFamilyTest : public ::testing::Test {
 protected:
  NetFamilyTest() {
    testing::make_tiny_nets(folder_.path() / "models");
    options_.models = folder_.path() / "models";
    options_.sentence_rules =
        std::filesystem::path(UNIRG_SOURCE_DIR) / "share/ratescore/rush_rules.tsv";
  }
  static double at(const Family& family, const Scored& scored, const std::string& name) {
    for (size_t i = 0; i < family.metrics().size(); ++i) {
      if (family.metrics()[i].name == name) return scored.values[i].value();
    }
    throw std::out_of_range(name);
  }

  testing::TempFolder folder_;
  NetOptions options_;
};

void expect_same(const std::vector<Scored>& a, const std::vector<Scored>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].values, b[i].values) << i;
    EXPECT_EQ(a[i].sums, b[i].sums) << i;
    EXPECT_EQ(a[i].details, b[i].details) << i;
  }
}

TEST_F(NetFamilyTest, every_metric_has_its_value) {
  const auto family = net_family(all_names(), options_);
  ASSERT_EQ(family->metrics().size(), 16u);
  const auto scored = family->score(kGroup);
  ASSERT_EQ(scored.size(), kGroup.hypotheses.size());
  for (const Scored& s : scored) {
    for (const auto& value : s.values) EXPECT_TRUE(value.has_value());
  }
  const auto value = [&](size_t h, const char* name) { return at(*family, scored[h], name); };
  for (const char* name :
       {"bertscore", "bertscore-p", "bertscore-r", "sembscore", "chexbert-f1-14"})
    EXPECT_NEAR(value(1, name), 1, 1e-5) << name;
  EXPECT_EQ(value(1, "radgraph-simple"), 1);
  EXPECT_NEAR(value(1, "ratescore"), 1, 1e-5);
  // an empty text
  EXPECT_NEAR(value(2, "bertscore"), -0.8473319 / (1 - 0.8473319), 1e-6);
  EXPECT_EQ(value(2, "radgraph"), 0);
  EXPECT_EQ(value(2, "radgraph-partial"), 0);
  EXPECT_EQ(value(2, "ratescore"), 0.5);
  // RadCliQ follows from the others
  const auto bleu = metrics::bleu2(metrics::rexrank_tokens(kGroup.hypotheses[0]),
                                   metrics::rexrank_tokens(kGroup.reference));
  const metrics::RadCliqInputs inputs{value(0, "radgraph"), value(0, "bertscore"),
                                      value(0, "sembscore"), bleu};
  EXPECT_EQ(value(0, "radcliq-v0"), metrics::radcliq_v0(inputs));
  EXPECT_EQ(value(0, "radcliq-v1"), metrics::radcliq_v1(inputs));
  // and its graph is in the details
  const io::Json& graphs = scored[0].details.at("radgraph");
  EXPECT_EQ(value(0, "radgraph"),
            metrics::radcliq_graph_f1(metrics::graph_from_json(graphs.at("hypothesis")),
                                      metrics::graph_from_json(graphs.at("reference")))
                .combined());
  EXPECT_EQ(scored[0].details.at("chexbert").at("reference").size(), 14u);
  expect_same({scored[0]}, {scored[3]});  // the same text twice
}

TEST_F(NetFamilyTest, sums_add_up) {
  const auto family = net_family({"radcliq-v1", "chexbert-f1-5"}, options_);
  const auto scored = family->score(kGroup);
  const auto& sums = scored[0].sums;
  ASSERT_EQ(sums.size(), 2u);
  EXPECT_EQ(sums[0].first, "radcliq-v1");
  EXPECT_EQ(sums[0].second, (std::vector<double>{scored[0].values[0].value(), 1}));
  EXPECT_EQ(sums[1].first, "chexbert");
  EXPECT_EQ(sums[1].second.size(), kLabelSums);
}

TEST_F(NetFamilyTest, values_depend_on_text_and_weights_alone) {
  const auto family = net_family(all_names(), options_);
  const auto together = family->score(kGroup);
  for (size_t h = 0; h < kGroup.hypotheses.size(); ++h)
    expect_same(family->score({kGroup.reference, {kGroup.hypotheses[h]}}), {together[h]});
  std::vector<std::vector<Scored>> threads(3);
  {
    std::vector<std::jthread> pool;
    for (auto& out : threads) pool.emplace_back([&] { out = family->score(kGroup); });
  }
  for (const auto& out : threads) expect_same(out, together);
  options_.cache = folder_.path() / "cache";
  const auto cached = net_family(all_names(), options_);
  expect_same(cached->score(kGroup), together);
  expect_same(cached->score(kGroup), together);
  expect_same(net_family(all_names(), options_)->score(kGroup), together);
}

TEST_F(NetFamilyTest, larger_batches_change_low_bits_only) {
  const auto alone = net_family(all_names(), options_)->score(kGroup);
  options_.batch_size = 4;
  const auto family = net_family(all_names(), options_);
  EXPECT_NE(family->metrics()[0].signature.find("|batch:4|"), std::string::npos);
  const auto batched = family->score(kGroup);
  for (size_t h = 0; h < alone.size(); ++h) {
    for (size_t m = 0; m < alone[h].values.size(); ++m) {
      EXPECT_NEAR(batched[h].values[m].value(), alone[h].values[m].value(), 1e-4)
          << family->metrics()[m].name;
    }
  }
  options_.cache = folder_.path() / "cache";
  EXPECT_THROW((void)net_family({"sembscore"}, options_), Error);
}

TEST_F(NetFamilyTest, a_damaged_cache_is_told_and_mended) {
  std::vector<std::string> warnings;
  options_.cache = folder_.path() / "cache";
  options_.warn = [&](const std::string& w) { warnings.push_back(w); };
  const std::vector<std::string> names = {"sembscore", "radgraph", "ratescore"};
  const auto first = net_family(names, options_)->score(kGroup);
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.cache)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string bytes = io::read_file(entry.path());
    io::write_file(entry.path(), bytes.substr(0, bytes.size() - 1));
  }
  EXPECT_EQ(files, 3u * 4u);  // four distinct texts
  expect_same(net_family(names, options_)->score(kGroup), first);
  EXPECT_EQ(warnings.size(), files);
  expect_same(net_family(names, options_)->score(kGroup), first);
  EXPECT_EQ(warnings.size(), files);
}

TEST_F(NetFamilyTest, idf_weighs_by_what_fit_saw) {
  options_.bertscore_idf = true;
  const auto family =
      net_family({"bertscore", "bertscore-p", "bertscore-r", "radcliq-v1"}, options_);
  EXPECT_THROW((void)family->score(kGroup), Error);
  family->fit({kGroup.reference, "No acute disease.", "Lungs are clear."});
  const auto scored = family->score(kGroup);
  EXPECT_NEAR(scored[1].values[0].value(), 1, 1e-5);
  family->fit({kGroup.reference});  // one text: its tokens weigh nothing
  const auto one = family->score(kGroup);
  EXPECT_FALSE(one[1].values[1].has_value());
  EXPECT_FALSE(one[1].values[2].has_value());
  EXPECT_NEAR(one[1].values[0].value(), -0.8473319 / (1 - 0.8473319), 1e-6);
  EXPECT_EQ(one[1].values[3], scored[1].values[3]);  // RadCliQ has no idf
}

TEST_F(NetFamilyTest, signatures_name_settings_and_weights) {
  for (const MetricInfo& m : net_metrics(options_)) {
    EXPECT_TRUE(m.signature.starts_with(m.name + "|")) << m.signature;
    EXPECT_TRUE(m.signature.ends_with("|v1")) << m.signature;
    EXPECT_EQ(m.signature.find("weights"), std::string::npos) << m.signature;
    EXPECT_EQ(m.better == Better::lower, m.name.starts_with("radcliq")) << m.name;
  }
  const auto family = net_family(all_names(), options_);
  for (const MetricInfo& m : family->metrics())
    EXPECT_NE(m.signature.find("|weights:"), std::string::npos) << m.signature;
  options_.bertscore_baseline = "none";
  options_.bertscore_layer = 3;
  const auto raw = net_family({"bertscore"}, options_);
  EXPECT_NE(raw->metrics()[0].signature.find("|layer:3|idf:no|rescale:none|"), std::string::npos);
  EXPECT_EQ(raw->score(kGroup)[2].values[0], 0);
}

TEST_F(NetFamilyTest, what_is_missing_is_named_with_its_remedy) {
  const auto message = [&](const std::vector<std::string>& names, Exit exit) {
    try {
      (void)net_family(names, options_);
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), exit) << e.what();
      return std::string(e.what());
    }
    ADD_FAILURE() << "no error";
    return std::string();
  };
  std::filesystem::remove_all(options_.models / "chexbert");
  const std::string missing = message({"sembscore"}, Exit::no_input);
  EXPECT_NE(missing.find("models/chexbert'"), std::string::npos) << missing;
  EXPECT_NE(missing.find("scripts/convert-weights chexbert.pth"), std::string::npos) << missing;
  (void)net_family({"bertscore"}, options_);  // needs no CheXbert
  std::filesystem::remove(options_.models / "radgraph/model.safetensors");
  EXPECT_NE(message({"radgraph"}, Exit::no_input).find("model.safetensors"), std::string::npos);
  EXPECT_NE(message({"radgrph"}, Exit::config).find("'radgraph'"), std::string::npos);
  options_.bertscore_layer = 9;
  (void)message({"bertscore"}, Exit::config);
  options_.bertscore_baseline = "none";
  (void)message({"bertscore"}, Exit::config);
  options_.ratescore_matrix = "wide";
  (void)message({"ratescore"}, Exit::config);
}

}  // namespace
}  // namespace unirg::scoring
