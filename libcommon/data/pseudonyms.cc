// SPDX-License-Identifier: Apache-2.0
#include "data/pseudonyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/digest.h"
#include "base/error.h"
#include "base/hmac.h"
#include "data/reasons.h"
#include "io/atomic_file.h"

namespace unirg::data {
namespace {

constexpr size_t kDigits = 16;
constexpr size_t kLeastSalt = 16;  ///< bytes
constexpr uint64_t kDays = 3652;   ///< ten years
constexpr double kOldest = 90;     ///< stands for itself and all above (45 CFR 164.514)

}  // namespace

Pseudonyms Pseudonyms::load(const std::filesystem::path& salt_file) {
  std::string salt = io::read_file(salt_file);
  if (salt.size() < kLeastSalt)
    throw Error(Exit::data,
                fmt::format("salt file '{}' has {} bytes, {} are needed (hint: head -c 32 "
                            "/dev/urandom makes one; keep it secret, and keep it)",
                            salt_file.string(), salt.size(), kLeastSalt));
  Pseudonyms names;
  names.salt_ = std::move(salt);
  return names;
}

std::string Pseudonyms::hash(const char* kind, std::string_view text) const {
  return hmac_sha256_hex(salt_, fmt::format("{}{}{}", kind, '\0', text));
}

std::string Pseudonyms::name(const char* kind, std::string_view text) const {
  if (!active()) return std::string(text);
  return fmt::format("{}-{}", kind, hash(kind, text).substr(0, kDigits));
}

uint64_t Pseudonyms::number(const char* kind, std::string_view text) const {
  if (!active()) return 0;
  const std::string digits = hash(kind, text);
  uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + kDigits, number, 16);
  return number;
}

int64_t Pseudonyms::shift(std::string_view patient) const {
  if (!active()) return 0;
  return -1 - static_cast<int64_t>(number("date", patient) % kDays);
}

std::optional<std::string> shifted_date(const std::string& date, int64_t days) {
  namespace chrono = std::chrono;
  const auto number = [&](size_t at, size_t size) {
    int value = 0;
    std::from_chars(date.data() + at, date.data() + at + size, value);
    return value;
  };
  UNIRG_ASSERT(date.size() == 10, "a date is not YYYY-MM-DD");
  const chrono::year_month_day from(chrono::year(number(0, 4)),
                                    chrono::month(static_cast<unsigned>(number(5, 2))),
                                    chrono::day(static_cast<unsigned>(number(8, 2))));
  const chrono::year_month_day to(chrono::sys_days(from) + chrono::days(days));
  if (static_cast<int>(to.year()) < 1) return std::nullopt;
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(to.year()),
                     static_cast<unsigned>(to.month()), static_cast<unsigned>(to.day()));
}

void Pseudonyms::disguise(Study& s) const {
  if (!active()) return;
  for (StudyImage& picture : s.images) {
    picture.id = image(s.study_id, picture.id);
    picture.source = file(picture.source);
  }
  if (s.date) s.date = shifted_date(*s.date, shift(s.patient_id));
  if (s.age && *s.age > kOldest) s.age = kOldest;
  if (s.prior) s.prior = study(*s.prior);
  s.study_id = study(s.study_id);
  s.patient_id = patient(s.patient_id);
  s.source_path = file(s.source_path);
  // Of a row without a report the digest could be guessed from its ids.
  if (!s.source_sha256.empty()) s.source_sha256 = hash("source", s.source_sha256);
}

void Pseudonyms::disguise(Leaks& leaks) const {
  for (auto* list : {&leaks.image, &leaks.text}) {
    for (Leak& leak : *list) {
      leak.study_id = study(leak.study_id);
      if (!leak.of.empty()) leak.of = study(leak.of);
    }
  }
}

Refusal Pseudonyms::disguised(Refusal refusal) const {
  if (!active()) return refusal;
  return {file(refusal.file), refusal.line, without_quoted(refusal.reason)};
}

void PseudonymCheck::add(const Study& study) {
  if (!names_.active()) return;
  studies_.push_back({names_.study_number(study.study_id), digest_of(study.study_id).low});
  const Known patient{names_.patient_number(study.patient_id), digest_of(study.patient_id).low};
  // A patient's studies often come one after the other.
  if (patients_.empty() || patients_.back() != patient) patients_.push_back(patient);
}

void PseudonymCheck::finish() {
  for (std::deque<Known>* known : {&studies_, &patients_}) {
    std::sort(known->begin(), known->end());
    const auto clash = std::adjacent_find(known->begin(), known->end(), [](Known a, Known b) {
      return a.pseudonym == b.pseudonym && a.id != b.id;
    });
    if (clash != known->end())
      throw Error(Exit::data, "two ids have one pseudonym (hint: another --salt-file)");
    known->clear();
  }
}

}  // namespace unirg::data
