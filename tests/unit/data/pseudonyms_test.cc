// SPDX-License-Identifier: Apache-2.0
#include "data/pseudonyms.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/hmac.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

const std::string kSalt = "0123456789abcdef";

TEST(Pseudonyms, are_the_first_16_digits_of_a_keyed_hash_of_kind_and_name) {
  const Pseudonyms names(kSalt);
  const std::string message("study\0s1", 8);
  EXPECT_EQ(names.study("s1"), "study-" + hmac_sha256_hex(kSalt, message).substr(0, 16));
  EXPECT_EQ(names.study("s1").size(), 6U + 16U);
  EXPECT_EQ(names.image("s", "i"),
            "image-" + hmac_sha256_hex(kSalt, std::string("image\0s/i", 9)).substr(0, 16));
  EXPECT_NE(names.patient("s1").substr(8), names.study("s1").substr(6));
  EXPECT_NE(Pseudonyms("0123456789abcdeF").study("s1"), names.study("s1"));
}

TEST(Pseudonyms, are_the_names_themselves_without_a_salt) {
  const Pseudonyms names;
  EXPECT_FALSE(names.active());
  EXPECT_EQ(names.study("s1"), "s1");
  EXPECT_EQ(names.image("s", "i"), "i");
  EXPECT_EQ(names.file("a/b.png"), "a/b.png");
  EXPECT_EQ(names.shift("p"), 0);
}

TEST(Pseudonyms, a_salt_is_16_bytes_or_more) {
  testing::TempFolder folder;
  io::write_file(folder.path() / "short", "0123456789abcde");
  io::write_file(folder.path() / "salt", kSalt);
  EXPECT_THROW(Pseudonyms::load(folder.path() / "short"), Error);
  EXPECT_THROW(Pseudonyms::load(folder.path() / "absent"), Error);
  EXPECT_EQ(Pseudonyms::load(folder.path() / "salt").study("s"), Pseudonyms(kSalt).study("s"));
}

TEST(Pseudonyms, shift_each_patient_by_a_number_of_days_of_their_own) {
  const Pseudonyms names(kSalt);
  std::set<int64_t> shifts;
  for (int p = 0; p < 1000; ++p) {
    const int64_t days = names.shift("p" + std::to_string(p));
    EXPECT_LE(days, -1);
    EXPECT_GE(days, -3652);
    shifts.insert(days);
  }
  EXPECT_GT(shifts.size(), 800U);  // of 1000 draws from 3652: 3652 (1 - e^(-1000/3652)) = 875
  const uint64_t number =
      std::stoull(hmac_sha256_hex(kSalt, std::string("date\0p", 6)).substr(0, 16), nullptr, 16);
  EXPECT_EQ(names.shift("p"), -1 - static_cast<int64_t>(number % 3652));
}

TEST(ShiftedDate, counts_days_over_months_and_leap_years) {
  EXPECT_EQ(shifted_date("2020-03-01", -1), "2020-02-29");
  EXPECT_EQ(shifted_date("2019-03-01", -1), "2019-02-28");
  EXPECT_EQ(shifted_date("2020-01-01", -3652), "2010-01-01");  // 2012 and 2016 had a day more
  EXPECT_EQ(shifted_date("2020-01-31", 1), "2020-02-01");
  EXPECT_EQ(shifted_date("0001-01-01", 0), "0001-01-01");
  EXPECT_EQ(shifted_date("0001-01-01", -1), std::nullopt);
}

TEST(Disguise, leaves_no_id_and_keeps_the_rest) {
  const Pseudonyms names(kSalt);
  Study study;
  study.study_id = "s2", study.patient_id = "p", study.prior = "s1";
  study.dataset = "d", study.site = "north", study.split = "train";
  study.date = "2020-06-15";
  study.age = 93;
  study.findings = "Clear.";
  study.source_path = "p/s2.txt", study.source_sha256 = std::string(64, 'a');
  study.images.resize(1);
  study.images[0].id = "1.2.3", study.images[0].source = "p/1.2.3.dcm";
  study.images[0].sha256 = "kept", study.images[0].pixels_sha256 = "kept too";
  Study plain = study;
  Pseudonyms().disguise(plain);
  EXPECT_EQ(to_json(plain), to_json(study));
  Study out = study;
  names.disguise(out);
  EXPECT_EQ(out.study_id, names.study("s2"));
  EXPECT_EQ(out.prior, names.study("s1"));
  EXPECT_EQ(out.patient_id, names.patient("p"));
  EXPECT_EQ(out.images[0].id, names.image("s2", "1.2.3"));
  EXPECT_EQ(out.images[0].source, names.file("p/1.2.3.dcm"));
  EXPECT_EQ(out.source_path, names.file("p/s2.txt"));
  EXPECT_EQ(out.source_sha256.size(), 64U);
  EXPECT_NE(out.source_sha256, study.source_sha256);
  EXPECT_EQ(out.date, shifted_date("2020-06-15", names.shift("p")));
  EXPECT_EQ(out.age, 90);
  EXPECT_EQ(out.findings, "Clear.");
  EXPECT_EQ(out.site, "north");
  EXPECT_EQ(out.images[0].sha256, "kept");
  EXPECT_EQ(out.images[0].pixels_sha256, "kept too");
  study.age = 89;
  names.disguise(study);
  EXPECT_EQ(study.age, 89);
}

TEST(Disguise, refusals_lose_what_they_put_in_quotes) {
  const Pseudonyms names(kSalt);
  const Refusal refusal = names.disguised({"p/a.png", 3, "duplicate study id 's1'"});
  EXPECT_EQ(refusal.file, names.file("p/a.png"));
  EXPECT_EQ(refusal.line, 3);
  EXPECT_EQ(refusal.reason, "duplicate study id '...'");
  EXPECT_EQ(Pseudonyms().disguised({"p/a.png", 3, "no 'x'"}).reason, "no 'x'");
}

TEST(Disguise, leaks_name_pseudonyms) {
  const Pseudonyms names(kSalt);
  Leaks leaks;
  leaks.image.push_back({"a", "", 1});
  leaks.text.push_back({"a", "b", 0.9});
  names.disguise(leaks);
  EXPECT_EQ(leaks.image[0].study_id, names.study("a"));
  EXPECT_EQ(leaks.image[0].of, "");
  EXPECT_EQ(leaks.text[0].of, names.study("b"));
}

TEST(PseudonymCheck, passes_studies_and_patients_with_names_of_their_own) {
  const Pseudonyms names(kSalt);
  PseudonymCheck check(names);
  for (const auto& [id, patient] : {std::pair("a", "p"), std::pair("b", "p"), std::pair("c", "q"),
                                    std::pair("p", "a"), std::pair("d", "p")}) {
    Study study;
    study.study_id = id, study.patient_id = patient;
    check.add(study);
  }
  EXPECT_NO_THROW(check.finish());
}

TEST(Pseudonyms, numbers_are_the_digits_and_sort_as_the_names) {
  const Pseudonyms names(kSalt);
  EXPECT_EQ(names.study("a"), fmt::format("study-{:016x}", names.study_number("a")));
  EXPECT_EQ(names.patient("a"), fmt::format("patient-{:016x}", names.patient_number("a")));
  EXPECT_EQ(Pseudonyms().study_number("a"), 0U);
}

}  // namespace
}  // namespace unirg::data
