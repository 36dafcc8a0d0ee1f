// The rule labeler against labels given by reading real Open-i reports (gold/openi_gold.tsv; who
// read them, and by which rules: docs/labeler.md): agreement must not fall below what was measured.
// The reports themselves are not ours to copy (CC BY-NC-ND); they come from ../shared. Prints the
// tables of docs/labeler.md. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <map>

#include "data/openi.h"
#include "data/table.h"
#include "temp_folder.h"
#include "text/labeler.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;
using text::kConditions;
using text::Labels;

const fs::path kSource = UNIRG_SOURCE_DIR;

struct Counts {
  int tp = 0, fp = 0, fn = 0;
  void count(bool called, bool true_one) {
    tp += static_cast<int>(called && true_one);
    fp += static_cast<int>(called && !true_one);
    fn += static_cast<int>(!called && true_one);
  }
  Counts& operator+=(const Counts& o) {
    tp += o.tp;
    fp += o.fp;
    fn += o.fn;
    return *this;
  }
  [[nodiscard]] double precision() const { return tp + fp == 0 ? 0 : 1.0 * tp / (tp + fp); }
  [[nodiscard]] double recall() const { return tp + fn == 0 ? 0 : 1.0 * tp / (tp + fn); }
  [[nodiscard]] double f1() const {
    return 2 * tp + fp + fn == 0 ? 0 : 2.0 * tp / (2 * tp + fp + fn);
  }
};

constexpr std::array<int, 3> kClasses{1, 0, -1};
/// By condition, then positive, negative, uncertain.
using Agreement = std::array<std::array<Counts, 3>, kConditions.size()>;

std::optional<int> label(const std::string& cell) {
  if (cell.empty()) return std::nullopt;
  return std::stoi(cell);
}

int strength(const std::optional<int>& label) {
  if (!label) return 0;
  return *label == 1 ? 3 : *label == -1 ? 2 : 1;
}

/// The gold of one row. What a report says of "airspace disease" counts as Consolidation, as the
/// lexicon has it; CheXpert counts it as Lung Opacity.
Labels gold_of(const TableRow& row) {
  Labels labels{};
  for (size_t c = 0; c < labels.size(); ++c)
    labels[c] = label(row.cells.at(std::string(kConditions[c])));
  auto& consolidation = labels[*text::condition_index("Consolidation")];
  const auto airspace = label(row.cells.at("airspace"));
  if (strength(airspace) > strength(consolidation)) consolidation = airspace;
  return labels;
}

/// Statements about the condition itself: what merely follows from "the lungs are clear" is no
/// mention by CheXpert's rules. No Finding counts only where it is called.
Labels mentions(const text::Reading& reading) {
  std::vector<text::Entity> direct;
  for (const text::Entity& e : reading.entities) {
    if (!e.implied) direct.push_back(e);
  }
  Labels labels = text::labels_of(direct);
  labels[text::kNoFinding] = reading.labels[text::kNoFinding];
  if (labels[text::kNoFinding] != 1) labels[text::kNoFinding].reset();
  return labels;
}

std::string report_of(const Study& study) {
  std::string all;
  if (study.findings) all += "Findings: " + *study.findings;
  if (study.impression) all += (all.empty() ? "Impression: " : " Impression: ") + *study.impression;
  return all;
}

std::map<std::string, std::string> reports(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".xml") continue;
    const auto draft = read_openi(folder, fs::relative(entry.path(), folder), {});
    if (draft) all[draft->draft.study.study_id] = report_of(draft->draft.study);
  }
  return all;
}

std::array<Counts, 3> total_of(const Agreement& agreement) {
  std::array<Counts, 3> total;
  for (const auto& by_class : agreement) {
    for (size_t k = 0; k < kClasses.size(); ++k) total[k] += by_class[k];
  }
  return total;
}

void print(const std::string& sample, const Agreement& agreement) {
  std::cout << "sample " << sample << "\n";
  const auto cells = [](const std::string& name, const std::array<Counts, 3>& by_class) {
    std::string line = "| " + name;
    for (const Counts& c : by_class) {
      if (c.tp + c.fp + c.fn == 0) {
        line += " | | | | ";
      } else {
        line += fmt::format(" | {} | {:.2f} | {:.2f} | {:.2f}", c.tp + c.fn, c.precision(),
                            c.recall(), c.f1());
      }
    }
    std::cout << line << " |\n";
  };
  for (size_t c = 0; c < kConditions.size(); ++c) cells(std::string(kConditions[c]), agreement[c]);
  cells("all 14", total_of(agreement));
}

TEST(LabelerGold, agrees_with_a_reader_of_real_reports_as_measured) {
  const fs::path archive = kSource / "../shared/data/iu-xray/iu_xray_reports.tgz";
  if (!fs::exists(archive)) GTEST_SKIP() << "needs ../shared/data/iu-xray (Open-i reports)";
  const testing::TempFolder folder;
  const std::string unpack =
      fmt::format("tar -xzf '{}' -C '{}'", archive.string(), folder.path().string());
  ASSERT_EQ(std::system(unpack.c_str()), 0) << unpack;
  const auto texts = reports(folder.path());
  const text::Labeler labeler(kSource / "share/lexicon/chest.yaml");
  const Table gold = read_table(kSource / "tests/unit/data/gold/openi_gold.tsv");
  const bool verbose = std::getenv("UNIRG_GOLD_VERBOSE") != nullptr;
  std::map<std::string, Agreement> agreement;
  for (const TableRow& row : gold.rows) {
    const auto text = texts.find(row.cells.at("study_id"));
    ASSERT_NE(text, texts.end()) << row.cells.at("study_id");
    const Labels expected = gold_of(row);
    const Labels read = mentions(labeler.read(text->second));
    for (size_t c = 0; c < kConditions.size(); ++c) {
      for (size_t k = 0; k < kClasses.size(); ++k)
        agreement[row.cells.at("sample")][c][k].count(read[c] == kClasses[k],
                                                      expected[c] == kClasses[k]);
      if (verbose && read[c] != expected[c])
        std::cout << fmt::format("{} {}: gold {} labeler {}\n", row.cells.at("study_id"),
                                 kConditions[c], expected[c] ? std::to_string(*expected[c]) : "-",
                                 read[c] ? std::to_string(*read[c]) : "-");
    }
  }
  // Measured with chest-2 (docs/labeler.md): wrong and missed labels of the 14 conditions.
  const std::map<std::string, std::array<Counts, 3>> measured{
      {"1", {Counts{189, 3, 0}, Counts{564, 1, 3}, Counts{23, 2, 3}}},
      {"2", {Counts{156, 8, 4}, Counts{420, 1, 5}, Counts{23, 1, 7}}}};
  ASSERT_EQ(agreement.size(), measured.size());
  for (const auto& [sample, found] : agreement) {
    print(sample, found);
    const auto total = total_of(found);
    for (size_t k = 0; k < kClasses.size(); ++k) {
      const Counts& before = measured.at(sample)[k];
      const Counts& now = total[k];
      std::cout << fmt::format("sample {} class {}: tp {} fp {} fn {}\n", sample, kClasses[k],
                               now.tp, now.fp, now.fn);
      EXPECT_GE(now.f1(), before.f1() - 1e-12) << "sample " << sample << " class " << kClasses[k];
    }
  }
}

}  // namespace
}  // namespace unirg::data
