// What judges' replies are read as: hand-worked ones, and those of the published parsers
// (../shared/golden/metrics). SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "metrics/chexprompt.h"
#include "metrics/crimson.h"
#include "metrics/green.h"
#include "metrics/reply_text.h"

namespace unirg::metrics {
namespace {

using io::Json;

Json golden(const char* name) {
  const auto file = std::filesystem::path(UNIRG_SOURCE_DIR) / "../shared/golden/metrics" / name;
  return std::filesystem::exists(file) ? Json::parse(io::read_file(file)) : Json();
}

const std::string kReply =
    "[Explanation]:\nThe effusion is on the other side.\n\n"
    "[Clinically Significant Errors]:\n"
    "(a) False report of a finding: 1. pneumothorax\n"
    "(b) Missing finding: 0. \n"
    "(c) Wrong location: 2. effusion: 3. left; tube\n"
    "(d) Wrong severity: 0\n"
    "\n"
    "[Clinically Insignificant Errors]:\nNo errors.\n\n"
    "[Matched Findings]:\n3. heart; lungs; spine";

TEST(Green, matched_over_matched_and_significant_errors) {
  const auto counts = green_counts(green_answer(kReply));
  ASSERT_TRUE(counts) << counts.error().reason;
  EXPECT_EQ(counts->significant, (ErrorCounts{1, 0, 2, 0, 0, 0}));
  EXPECT_EQ(counts->insignificant, (ErrorCounts{}));
  EXPECT_EQ(counts->matched, 3);
  EXPECT_DOUBLE_EQ(green_score(*counts), 3.0 / 6.0);
  EXPECT_EQ(green_score({{0, 1}, {}, 0}), 0);
  EXPECT_EQ(green_score({{}, {}, 0}), 0);  // upstream's rule: nothing matched, nothing earned
  EXPECT_EQ(green_score({{}, {}, 4}), 1);
}

TEST(Green, takes_off_what_a_decoder_puts_round_the_answer) {
  EXPECT_EQ(green_answer("<|user|>\n[Explanation]:\nlayout\n<|assistant|>\n[Explanation]:\nA</s>"),
            "\nA");
  EXPECT_EQ(green_answer("A<unk>B"), "AB");
}

/// The reading of `text` in place of the whole section of significant errors.
std::string refusal(const std::string& section) {
  const auto counts = green_counts("[Clinically Significant Errors]:\n" + section +
                                   "\n\n[Matched Findings]:\n2. x");
  return counts ? "valid" : counts.error().reason;
}

TEST(Green, refuses_what_the_published_parser_counts_as_zero) {
  EXPECT_EQ(refusal("(a) x: 1. y\n(f) z: none"), "valid");
  EXPECT_EQ(refusal("No clinically significant errors."), "valid");
  EXPECT_EQ(refusal("None"), "valid");
  EXPECT_EQ(refusal("(1) x: 1. y"), "valid");
  EXPECT_EQ(refusal("(b) Missing: 2 findings"),
            "section [Clinically Significant Errors]: (b) has no count");
  EXPECT_EQ(refusal("(a) x 2. y"), "section [Clinically Significant Errors]: (a) has no count");
  EXPECT_EQ(refusal("(a) x: 1. y\n(a) x: 3. y"),
            "section [Clinically Significant Errors]: (a) twice");
  EXPECT_EQ(refusal("No errors.\n(b) Missing: 2. x"),
            "section [Clinically Significant Errors] says 'No' and lists errors");
  EXPECT_NE(refusal("Nodule missed."), "valid");
  EXPECT_NE(refusal(""), "valid");  // swallows the next section
  EXPECT_NE(refusal("(a) x: 99999999999999999999. y"), "valid");
}

/// Replies of judges that listed errors and yet were given a full score.
TEST(Green, an_error_that_is_written_another_way_is_not_no_error) {
  const std::string name = "section [Clinically Significant Errors]";
  // A blank line between the letters.
  EXPECT_EQ(refusal("(a) x: 0. \n\n(b) Missing: 2. effusion; tube"),
            name + " goes on after a blank line");
  EXPECT_EQ(refusal("No errors.\n\n- (B): effusion"), name + " goes on after a blank line");
  // Errors in a list below their letter.
  EXPECT_EQ(refusal("(a) x: 0. \n(b) Missing:\n- effusion\n(c) y: 0. "),
            name + ": (b) has no count, but text below it");
  EXPECT_EQ(refusal("(a) x: 0. \n(b) Missing:\n\n- effusion"),
            name + ": (b) has no count, but text below it");
  EXPECT_EQ(refusal("(a) x:\n(b) Missing: none.\n(c) y: N/A\n(d) z: "), "valid");
  // Sentences that begin with "No".
  EXPECT_EQ(refusal("(a) x: 0. \n(b) Missing: No mention of the left effusion"),
            name + ": (b) has no count");
  EXPECT_EQ(refusal("No mention of the large left pneumothorax"),
            name + " holds no count and does not say 'No'");
  EXPECT_EQ(refusal("No errors.\nBut the effusion is left out."),
            name + " holds no count and does not say 'No'");
  EXPECT_EQ(refusal("No mention of the effusion.\n(a) x: 0. "),
            name + " says 'No' and lists errors");
  for (const char* none : {"No.", "None.", "No errors", "No findings.", "No significant errors.",
                           "No clinically significant error"})
    EXPECT_EQ(refusal(none), "valid") << none;
  // Letters of another form, and two of them in a line.
  EXPECT_EQ(refusal("(a) x: 0. \n(b): 2. y"), name + ": a lettered line of another form");
  EXPECT_EQ(refusal("(a) x: 0. (b) y: 2. z"), name + ": (a) shares its line with another letter");
  EXPECT_FALSE(
      green_counts("[Clinically Significant Errors]:\nNo\n\n"
                   "[Matched Findings]:\nNo mention of any"));
}

TEST(Green, a_section_takes_no_errors_of_another) {
  const std::string rest = "(b) y: 3. z\n\n[Matched Findings]:\n2. x";
  EXPECT_FALSE(
      green_counts("[Clinically Significant Errors]:\n\n"
                   "[Clinically Insignificant Errors]:\n" +
                   rest));
  EXPECT_FALSE(
      green_counts("[Clinically Significant Errors]:\n(a) x: 0. \n"
                   "[Clinically Insignificant Errors]:\n" +
                   rest));
  EXPECT_TRUE(
      green_counts("[Clinically Significant Errors]:\n(a) x: 0. \n"
                   "[Matched Findings]:\n2. x"));
}

TEST(Green, a_measure_is_no_count) {
  EXPECT_EQ(refusal("(b) Missing: 2.5 cm nodule"),
            "section [Clinically Significant Errors]: (b) has no count");
  EXPECT_EQ(refusal("(b) Missing: 2. 5 cm nodule; x"), "valid");
  EXPECT_FALSE(
      green_counts("[Clinically Significant Errors]:\nNo\n\n[Matched Findings]:\n3.2 cm mass"));
}

TEST(Green, two_answers_are_none) {
  const std::string draft =
      "[Clinically Significant Errors]:\n(a) x: 2. y\n\n[Matched Findings]:\n1. x\n\n";
  EXPECT_EQ(green_counts(green_answer(draft + kReply.substr(13))).error().reason,
            "section [Clinically Significant Errors] more than once");
  for (const std::string& thought : {"<think>" + draft + "</think>", draft + "</think>",
                                     "<think>a</think>" + draft + "</think>"}) {
    const auto counts = green_counts(green_answer(thought + kReply));
    ASSERT_TRUE(counts) << thought;
    EXPECT_EQ(counts->matched, 3);
  }
  EXPECT_FALSE(green_counts(green_answer("<think>" + draft)));  // it never came to an answer
  EXPECT_EQ(without_thinking("a<think>b</think>c"), "ac");
}

TEST(Green, an_answer_that_was_cut_off_counts_only_if_all_was_said) {
  const std::string errors = "[Clinically Significant Errors]:\n(a) x: 1. y";
  const std::string matched = "[Matched Findings]:\n3. heart; lu";
  EXPECT_TRUE(green_counts(errors + "\n\n" + matched, true));
  EXPECT_EQ(green_counts(matched + "\n\n" + errors, true).error().reason, "the answer is cut off");
  EXPECT_TRUE(green_counts(matched + "\n\n" + errors, false));
  EXPECT_FALSE(green_counts(errors + "\n\n[Matched Findings]:\n3.", true));  // of "3.2 cm"?
}

TEST(Green, a_reply_without_a_needed_section_is_invalid) {
  EXPECT_EQ(green_counts("").error().reason, "no section [Clinically Significant Errors]");
  EXPECT_FALSE(green_counts("[Matched Findings]:\n2. a; b"));
  EXPECT_EQ(green_counts("[Clinically Significant Errors]:\nNo").error().reason,
            "no section [Matched Findings]");
  EXPECT_FALSE(green_counts("[Clinically Significant Errors]:\nNo\n\n[Matched Findings]:\n12 . z"));
  EXPECT_FALSE(green_counts("[Clinically Significant Errors]:\nNo\n\n[Matched Findings]:\nmany"));
  EXPECT_TRUE(green_counts("[Clinically Significant Errors]:\nNo\n\n[Matched Findings]:\nNone"));
  const auto counts =
      green_counts("[Clinically Significant Errors]:\nNo\n\n[Matched Findings]:\n1.");
  ASSERT_TRUE(counts);
  EXPECT_FALSE(counts->insignificant);
}

TEST(Green, upstream_reading_agrees_with_the_published_parser) {
  const Json cases = golden("green_parse_synthetic.json");
  if (cases.is_null()) GTEST_SKIP() << "needs ../shared/golden/metrics/green_parse_synthetic.json";
  int valid = 0;
  for (const Json& c : cases) {
    const auto text = c["response"].get<std::string>();
    const GreenCounts counts = green_counts_upstream(text);
    std::vector<int64_t> all(counts.significant.begin(), counts.significant.end());
    all.push_back(counts.matched);
    EXPECT_EQ(all, c["sig_counts_and_matched"].get<std::vector<int64_t>>()) << text;
    EXPECT_EQ(green_score(counts), c["green"].get<double>()) << text;
    const auto ours = green_counts(text);
    if (!ours) continue;
    ++valid;
    EXPECT_EQ(ours->significant, counts.significant) << text;
    EXPECT_EQ(ours->matched, counts.matched) << text;
  }
  EXPECT_EQ(cases.size(), 11u);
  EXPECT_EQ(valid, 6);  // the four regular ones, "No ...", and "none" with "None"
}

const std::string kPairs = "[(A, 1), (B, 0), (C, 2), (D, 0), (E, 0), (F, 3)]";
std::string lines(const std::string& significant, const std::string& insignificant) {
  return "Number of clinically significant errors by type: " + significant +
         "\nNumber of clinically insignificant errors by type: " + insignificant;
}

TEST(Chexprompt, reads_both_lines) {
  const auto counts = chexprompt_counts("Sure.\n" +
                                        lines(kPairs,
                                              "((A, 0), (B, 4), (C, 0), (D, 0), "
                                              "(E, 0), (F, 0))") +
                                        "\nExplanation: (A, 9)");
  ASSERT_TRUE(counts) << counts.error().reason;
  EXPECT_EQ(counts->significant, (ErrorCounts{1, 0, 2, 0, 0, 3}));
  EXPECT_EQ(counts->insignificant, (ErrorCounts{0, 4, 0, 0, 0, 0}));
  EXPECT_EQ(total(counts->significant), 6);
}

TEST(Chexprompt, wants_every_type_once) {
  const auto reason = [](const std::string& significant) {
    const auto counts = chexprompt_counts(lines(significant, kPairs));
    return counts ? "valid" : counts.error().reason;
  };
  EXPECT_EQ(reason(kPairs), "valid");
  EXPECT_EQ(reason("[(A, 0)]"), "clinically significant errors: type B is missing");
  EXPECT_EQ(reason("[(A, 0), (B, 0), (C, 0), (D, 0), (E, 0), (F, 0), (F, 0)]"),
            "clinically significant errors: type F twice");
  EXPECT_EQ(reason("[(A, -1), (B, 0), (C, 0), (D, 0), (E, 0), (F, 0)]"),
            "clinically significant errors: type A: not a count");
  EXPECT_EQ(reason("[(A, n), (B, 0)]"),
            "clinically significant errors: not a list of (type, count)");
  EXPECT_EQ(reason("[(G, 0)]"), "clinically significant errors: a type that is none of A to F");
  EXPECT_FALSE(chexprompt_counts("nothing"));
  EXPECT_FALSE(chexprompt_counts("Number of clinically significant errors by type: " + kPairs));
}

TEST(Chexprompt, wants_whole_lists_of_one_answer) {
  const auto reason = [](const std::string& reply) {
    const auto counts = chexprompt_counts(reply);
    return counts ? "valid" : counts.error().reason;
  };
  const std::string no_list = "clinically insignificant errors: not a whole list of (type, count)";
  // Cut off: of (F, 12)?
  EXPECT_EQ(reason(lines(kPairs, "[(A, 1), (B, 0), (C, 2), (D, 0), (E, 0), (F, 1")), no_list);
  EXPECT_EQ(reason(lines(kPairs, "[(A, 1), (B, 0), (C, 2), (D, 0), (E, 0), (F, 1)")), no_list);
  // A third field.
  EXPECT_EQ(reason(lines(kPairs, "[(A, 1, 5), (B, 0), (C, 2), (D, 0), (E, 0), (F, 1)]")), no_list);
  EXPECT_EQ(reason(lines(kPairs, "[(A, 1,000), (B, 0), (C, 2), (D, 0), (E, 0), (F, 1)]")), no_list);
  EXPECT_EQ(reason(lines(kPairs, "(A, 1), (B, 0), (C, 2), (D, 0), (E, 0), (F, 1)")), "valid");
  // Two answers.
  const std::string draft = lines("[(A, 9)]", "[(A, 9)]") + "\n";
  EXPECT_EQ(reason(draft + lines(kPairs, kPairs)),
            "line 'Number of clinically significant errors by type:' more than once");
  EXPECT_EQ(reason("<think>" + draft + "</think>\n" + lines(kPairs, kPairs)), "valid");
}

TEST(Chexprompt, upstream_reading_agrees_with_the_published_parser) {
  const Json cases = golden("chexprompt_parse_synthetic.json");
  if (cases.is_null())
    GTEST_SKIP() << "needs ../shared/golden/metrics/chexprompt_parse_synthetic.json";
  const std::map<std::string, std::string> names{
      {"A", "false_positive_finding"},    {"B", "omission_finding"},
      {"C", "incorrect_location"},        {"D", "incorrect_severity"},
      {"E", "false_positive_comparison"}, {"F", "omission_comparison"}};
  const auto as_json = [&](const std::optional<ChexpromptPairs>& pairs) {
    Json json;
    if (pairs) json = Json::object();
    for (const auto& [key, count] : pairs.value_or(ChexpromptPairs{})) json[names.at(key)] = count;
    return json;
  };
  for (const Json& c : cases) {
    const ChexpromptLines lines = chexprompt_lines_upstream(c["completion"].get<std::string>());
    EXPECT_EQ(as_json(lines.significant), c["result"][0]);
    EXPECT_EQ(as_json(lines.insignificant), c["result"][1]);
  }
  EXPECT_EQ(cases.size(), 4u);
}

/// References r1 urgent, r2 actionable, r3 benign; predictions p1 urgent, p2 unknown.
Result<double> crimson(const std::string& rest) {
  return crimson_score(Json::parse(
      R"({"reference_findings": [{"id": "r1", "clinical_significance": "urgent"},
          {"id": "r2", "clinical_significance": "actionable_not_urgent"},
          {"id": "r3", "clinical_significance": "benign_expected"}],
          "predicted_findings": [{"id": "p1", "clinical_significance": "urgent"}, {"id": "p2"}], )" +
      rest + "}"));
}

TEST(Crimson, hand_worked) {
  // N = 1.5. All matched: 1. r1 alone: 1 / 1.5. r1 with a significant error: 1 / (1 + 0.5) / 1.5.
  EXPECT_EQ(*crimson(R"("matched_findings": [{"ref_id": "r1"}, {"ref_id": "r2"}])"), 1);
  EXPECT_EQ(*crimson(R"("matched_findings": [{"ref_id": "r1"}, {"ref_id": "r1"}])"), 0.6667);
  EXPECT_EQ(*crimson(R"("matched_findings": [{"ref_id": "r1"}], "errors": {"attribute_errors":
                        [{"ref_id": "r1", "severity": "significant"}]})"),
            0.4444);
  // A false p2 (0.25): (1 - 0.25) / 1.5. Nothing right and p1 false: d = 1, -1 / 2.
  EXPECT_EQ(*crimson(R"("matched_findings": [{"ref_id": "r1"}],
                        "errors": {"false_findings": ["p2"]})"),
            0.5);
  EXPECT_EQ(*crimson(R"("errors": {"false_findings": ["p1"]})"), -0.5);
  EXPECT_EQ(*crimson(R"("errors": {"missing_findings": ["r1", "r2"]})"), 0);
  EXPECT_EQ(*crimson_score(Json::object()), 1);
  EXPECT_FALSE(crimson(R"("matched_findings": [{}])"));
  EXPECT_FALSE(crimson_score(Json::array()));
}

TEST(FineRadScore, takes_the_largest_severity) {
  EXPECT_EQ(*finerad_maximum({}), 0);
  EXPECT_EQ(*finerad_maximum({"Not actionable", "Urgent error", "actionable nonurgent"}), 3);
  EXPECT_EQ(*finerad_severity("Emergent Error"), 4);
  EXPECT_FALSE(finerad_maximum({"grave"}));
}

TEST(ReplyText, words_are_cut_as_python_splits) {
  EXPECT_EQ(first_words("  a\n\tb\u00A0c\u2003d  ", 0), "a b c d");
  EXPECT_EQ(first_words("a b c", 2), "a b");
  EXPECT_EQ(first_words("", 300), "");
  EXPECT_EQ(strip_blanks("\u3000 a b\u0085"), "a b");
}

}  // namespace
}  // namespace unirg::metrics
