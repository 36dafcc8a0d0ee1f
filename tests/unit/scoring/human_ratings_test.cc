// Readers of rated report pairs, on small files of the same layouts.
// SPDX-License-Identifier: Apache-2.0
#include "scoring/human_ratings.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::scoring {
namespace {

namespace fs = std::filesystem;

class HumanRatings : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& content) {
    io::write_file(folder_.path() / name, content);
    return folder_.path() / name;
  }
  template <typename Call>
  std::string complaint(const Call& call) {
    try {
      (void)call();
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  }
  testing::TempFolder folder_;
};

TEST_F(HumanRatings, plain_tables_average_the_raters) {
  const auto csv = write("a.csv",
                         "id,group,reference,candidate,rating\n1,m,\"a, b\",c,4\n2,n,d,e,1\n"
                         "1,m,\"a, b\",c,5\n");
  const auto pairs = read_plain_ratings(csv);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].id, "1");
  EXPECT_EQ(pairs[0].group, "m");
  EXPECT_EQ(pairs[0].reference, "a, b");
  EXPECT_EQ(pairs[0].candidate, "c");
  EXPECT_DOUBLE_EQ(pairs[0].value, 4.5);
  EXPECT_TRUE(pairs[0].higher_is_better);
  const auto jsonl = write("a.jsonl", R"({"id":"x","reference":"r","candidate":"c","errors":2.5})"
                                      "\n");
  const auto errors = read_plain_ratings(jsonl);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_DOUBLE_EQ(errors[0].value, 2.5);
  EXPECT_FALSE(errors[0].higher_is_better);
  EXPECT_EQ(errors[0].group, "");
}

TEST_F(HumanRatings, plain_tables_are_read_strictly) {
  const auto said = [&](const std::string& content) {
    const auto file = write("x.csv", content);
    return complaint([&] { return read_plain_ratings(file); });
  };
  EXPECT_NE(said("id,reference,candidat,rating\n1,a,b,3\n").find("hint: it has 'candidat'"),
            std::string::npos);
  EXPECT_NE(said("id,reference,candidate\n1,a,b\n").find("exactly one of"), std::string::npos);
  EXPECT_NE(said("id,reference,candidate,rating,errors\n1,a,b,3,3\n").find("exactly one of"),
            std::string::npos);
  EXPECT_NE(said("id,reference,candidate,rating\n1,a,b,good\n").find("x.csv:2': field 'rating'"),
            std::string::npos);
  EXPECT_NE(said("id,reference,candidate,rating\n1,a,b,nan\n").find("expected a number"),
            std::string::npos);
  EXPECT_NE(said("id,reference,candidate,rating\n1,a,,3\n").find("'candidate' is empty"),
            std::string::npos);
  EXPECT_NE(said("id,reference,candidate,rating\n1,a,b,3\n1,a,c,3\n").find("x.csv:3"),
            std::string::npos);
  EXPECT_NE(said("id,reference,candidate,rating\n").find("no rows"), std::string::npos);
}

TEST_F(HumanRatings, rexval_sums_categories_and_averages_raters) {
  const auto reports = write("reports.csv",
                             "study_id,gt_report,radgraph,bleu\ns9,ref a,rad a,bleu a\n"
                             "s7,ref b,rad b,bleu b\n");
  const std::string head =
      "study_number,candidate_type,rater_index,error_category,clinically_significant,num_errors\n";
  const auto errors = write("errors.csv", head +
                                              "0,radgraph,0,1,True,2\n0,radgraph,0,2,True,1\n"
                                              "0,radgraph,0,1,False,4\n0,radgraph,1,1,True,0\n"
                                              "1,bleu,0,1,True,1\n1,bleu,1,6,True,2\n");
  const auto pairs = read_rexval(reports, errors);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].id, "0/radgraph");
  EXPECT_EQ(pairs[0].group, "radgraph");
  EXPECT_EQ(pairs[0].reference, "ref a");
  EXPECT_EQ(pairs[0].candidate, "rad a");
  EXPECT_DOUBLE_EQ(pairs[0].value, 1.5);  // (2 + 1) and 0
  EXPECT_FALSE(pairs[0].higher_is_better);
  EXPECT_DOUBLE_EQ(pairs[1].value, 1.5);
  EXPECT_DOUBLE_EQ(read_rexval(reports, errors, ErrorKind::all)[0].value, 3.5);
  EXPECT_DOUBLE_EQ(read_rexval(reports, errors, ErrorKind::insignificant)[0].value, 2);
  const auto lost = write("lost.csv", head + "2,bleu,0,1,True,1\n");
  EXPECT_NE(complaint([&] { return read_rexval(reports, lost); }).find("study_number '2'"),
            std::string::npos);
  const auto odd = write("odd.csv", head + "0,bleu,0,1,maybe,1\n");
  EXPECT_NE(complaint([&] { return read_rexval(reports, odd); }).find("odd.csv:2"),
            std::string::npos);
}

TEST_F(HumanRatings, radpref_averages_the_raters_of_each_candidate) {
  const auto cases = write("cases.csv",
                           "case_id,candidate,reference,candidate_report\nk1,C1,ref,one\n"
                           "k1,C2,ref,two\n");
  fs::create_directory(folder_.path() / "raters");
  (void)write("raters/user_1.json",
              R"({"annotations":{"k1":{"C1":{"rating":5},"C2":{"rating":2}}}})");
  (void)write("raters/user_2.json",
              R"({"annotations":{"k1":{"C1":{"rating":4},"C2":{"rating":2}}}})");
  const auto pairs = read_radpref(cases, folder_.path() / "raters");
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].id, "k1/C1");
  EXPECT_DOUBLE_EQ(pairs[0].value, 4.5);
  EXPECT_EQ(pairs[1].candidate, "two");
  EXPECT_DOUBLE_EQ(pairs[1].value, 2);
  (void)write("raters/user_3.json", R"({"annotations":{"k1":{"C1":{"rating":9}}}})");
  EXPECT_NE(complaint([&] {
              return read_radpref(cases, folder_.path() / "raters");
            }).find("user_3.json': case 'k1', candidate 'C1': the rating is not in 1..5"),
            std::string::npos);
  EXPECT_NE(complaint([&] { return read_radpref(cases, folder_.path() / "none"); }).find("folder"),
            std::string::npos);
}

TEST_F(HumanRatings, rate_eval_is_a_table_or_a_list) {
  const auto csv = write("r.csv", "gt_report,similar_report,Score\na,b,4.25\n");
  const auto json = write("r.json", R"([{"gt_report":"a","similar_report":"b","Score":4.25}])");
  for (const auto& file : {csv, json}) {
    const auto pairs = read_rate_eval(file);
    ASSERT_EQ(pairs.size(), 1U) << file;
    EXPECT_EQ(pairs[0].id, "0");
    EXPECT_EQ(pairs[0].candidate, "b");
    EXPECT_DOUBLE_EQ(pairs[0].value, 4.25);
  }
  const auto broken = write("b.json", "[1");
  EXPECT_NE(complaint([&] { return read_rate_eval(broken); }).find("not JSON"), std::string::npos);
}

}  // namespace
}  // namespace unirg::scoring
