// SPDX-License-Identifier: Apache-2.0
#include "text/scrubber.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::text {
namespace {

Scrubber installed() { return Scrubber(UNIRG_SOURCE_DIR "/share/scrub/report.yaml"); }

std::string scrubbed(const std::string& text) {
  const Scrubber scrubber = installed();
  Scrubber::Counts counts(scrubber.rules().size());
  return scrubber.scrub(text, counts);
}

TEST(Scrubber, every_rule_does_what_its_examples_say) {
  const Scrubber scrubber = installed();
  for (size_t r = 0; r < scrubber.rules().size(); ++r) {
    const Scrubber::Rule& rule = scrubber.rules()[r];
    ASSERT_FALSE(rule.examples.empty()) << rule.name;
    bool found = false;
    for (const auto& [before, after] : rule.examples) {
      int64_t count = 0;
      EXPECT_EQ(scrubber.apply(r, before, count), after) << rule.name;
      EXPECT_EQ(count > 0, before != after) << rule.name;
      found |= count > 0;
    }
    EXPECT_TRUE(found) << rule.name << " has no example in which it finds something";
  }
}

TEST(Scrubber, all_rules_together_leave_no_identifier_and_the_findings) {
  EXPECT_EQ(
      scrubbed("Comparison: 3/7/2019 (MRN 00123456). Small left effusion, 1.5 x 2.0 cm, unchanged "
               "since March 2018. Findings were discussed with Dr. Jane Doe at 617-555-0123 on 3/9 "
               "by John Q. Public, MD. 94-year-old man. Reply to j.public@example.org."),
      "Comparison: ___ (MRN ___). Small left effusion, 1.5 x 2.0 cm, unchanged since ___. Findings "
      "were discussed with Dr. ___ at ___ on ___ by ___, MD. ___-year-old man. Reply to ___.");
}

TEST(Scrubber, leaves_what_radiology_writes) {
  for (const std::string text :
       {"PA and lateral views. The tip of the ET tube is 3.5 cm above the carina. Rib 8-9 "
        "fracture.",
        "Grade 3/6 murmur. T8-9 disc. MR shows MS plaques. DR chest, 2 views. C5/6 stenosis.",
        "MAY 2 EFFUSIONS BE PRESENT. Nodule 4 mm (series 4, image 112), was 3 mm, SUV 2.5.",
        "65 year old with cough. No acute process. ___ was told by Dr. ___ at 10:30 AM.",
        "HU 120-150. At 1,024 x 1,024. Right lower lobe may represent infection."})
    EXPECT_EQ(scrubbed(text), text);
}

TEST(Scrubber, scrubs_a_text_once) {
  const std::string once = scrubbed("Dr. Jane Doe, MRN 1234567, 3/7/2019, x12345, 2019-03-07");
  EXPECT_EQ(scrubbed(once), once);
}

TEST(Scrubber, counts_what_it_replaces_by_rule) {
  const Scrubber scrubber = installed();
  Scrubber::Counts counts(scrubber.rules().size());
  (void)scrubber.scrub("a@b.org, c@d.org. Dr. Doe.", counts);
  for (size_t r = 0; r < counts.size(); ++r) {
    const std::string& name = scrubber.rules()[r].name;
    EXPECT_EQ(counts[r], name == "email" ? 2 : name == "title-and-name" ? 1 : 0) << name;
  }
}

TEST(Scrubber, takes_any_letters_and_any_bytes) {
  EXPECT_EQ(scrubbed("Visto por la Dra. Núñez."), "Visto por la Dra. ___.");
  EXPECT_EQ(scrubbed("\xff\xfe 3/7/2019"), "\xff\xfe ___");
  EXPECT_EQ(scrubbed(""), "");
}

class ScrubFile : public ::testing::Test {
 protected:
  std::string complaint(const std::string& text) {
    const auto file = folder_.path() / "rules.yaml";
    io::write_file(file, text);
    try {
      const Scrubber scrubber(file);
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::config);
      return std::string(e.what()).substr(file.string().size());
    }
    return "";
  }
  testing::TempFolder folder_;
};

TEST_F(ScrubFile, of_another_form_is_refused_with_its_line) {
  const std::string head = "schema: unirg.scrub/1\nversion: x\n";
  EXPECT_EQ(complaint(head + "rules: [{name: a, pattern: b}]"), "");
  EXPECT_EQ(complaint("schema: unirg.scrub/2\nversion: x\nrules: []"),
            ":1: schema is not 'unirg.scrub/1'");
  EXPECT_EQ(complaint(head + "rules: []"), ":1: 'rules': expected a list");
  EXPECT_EQ(complaint(head + "rules:\n  - {name: a, patern: b}"),
            ":4: unknown key 'patern' (hint: did you mean 'pattern'?)");
  EXPECT_EQ(complaint(head + "rules:\n  - {name: a}"), ":4: 'pattern' is missing");
  EXPECT_EQ(complaint(head + "rules:\n  - {name: a, pattern: b}\n  - {name: a, pattern: c}"),
            ":5: rule 'a' stands twice");
  EXPECT_NE(complaint(head + "rules:\n  - {name: a, pattern: '('}").find(":4: bad pattern: "),
            std::string::npos);
  EXPECT_EQ(complaint(head + "rules:\n  - {name: a, pattern: b, examples: [c]}"),
            ":4: 'examples': expected pairs of texts");
  EXPECT_NE(complaint("rules: ["), "");
}

TEST_F(ScrubFile, a_pattern_that_takes_too_many_steps_is_an_error_that_names_its_rule) {
  const auto file = folder_.path() / "rules.yaml";
  io::write_file(file,
                 "schema: unirg.scrub/1\nversion: x\nrules:\n"
                 "  - {name: slow, pattern: '(a+)+$'}");
  const Scrubber scrubber(file);
  Scrubber::Counts counts(1);
  EXPECT_THROW((void)scrubber.scrub(std::string(5000, 'a') + "d", counts), Error);
}

}  // namespace
}  // namespace unirg::text
