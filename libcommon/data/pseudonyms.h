// Names that cannot be traced back without a secret: ids and file names as keyed hashes, dates
// shifted by a number of days for each patient. Depends on records.h, ingest_sources.h.
//
// A pseudonym is KIND-HHHHHHHHHHHHHHHH, the first 16 of the 64 hex digits of
//   HMAC-SHA-256(key = the salt's bytes, message = KIND, a zero byte, the name in UTF-8)
// with KIND one of study, patient, image, file. 64 bits: of a million names two have one pseudonym
// in 3 of 100 million salts (n^2 / 2^65), which is noticed and refused; names of files and members
// stay readable; and a shorter hash is no weaker against guessing, which the secret salt prevents.
//
// A patient's dates move back by 1 + (H mod 3652) days, H the first 16 hex digits of the same for
// KIND "date" and the patient's id as a number: by up to ten years, never by none, never into the
// future; one number for all of a patient's dates, so that intervals and order stay. Not by whole
// weeks: days of the week would narrow the guess by seven, and nothing here uses them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/ingest_sources.h"
#include "data/leaks.h"
#include "data/records.h"

namespace unirg::data {

class Pseudonyms {
 public:
  /// Without a salt every name is its own pseudonym and no date moves.
  Pseudonyms() = default;
  /// \param salt  as from a random number generator
  explicit Pseudonyms(std::string salt) : salt_(std::move(salt)) {}
  /// \throws Error(Exit::no_input) if the file cannot be opened, Error(Exit::data) if it holds less
  ///         than 16 bytes
  static Pseudonyms load(const std::filesystem::path& salt_file);

  [[nodiscard]] bool active() const { return !salt_.empty(); }
  [[nodiscard]] std::string study(std::string_view id) const { return name("study", id); }
  /// The digits of study() as a number, by which pseudonyms sort; 0 without a salt.
  [[nodiscard]] uint64_t study_number(std::string_view id) const { return number("study", id); }
  [[nodiscard]] uint64_t patient_number(std::string_view id) const { return number("patient", id); }
  [[nodiscard]] std::string patient(std::string_view id) const { return name("patient", id); }
  /// Of "STUDY/IMAGE", both as the source names them.
  [[nodiscard]] std::string image(const std::string& study, const std::string& image) const {
    return active() ? name("image", study + "/" + image) : image;
  }
  /// Of a path as rejected.jsonl has it, or of "TABLE:LINE".
  [[nodiscard]] std::string file(std::string_view path) const { return name("file", path); }
  /// Days that a patient's dates move: 0 without a salt, else -1 to -3652.
  [[nodiscard]] int64_t shift(std::string_view patient) const;
  /// Tells salts apart and nothing of them: the pseudonym of nothing.
  [[nodiscard]] std::string check_value() const { return name("salt", ""); }

  /// A study's record as it may be written: ids, prior, image ids, paths; the digest of its source,
  /// keyed; its date, shifted; an age over 89 as 90. Its other fields stay. As it is without a
  /// salt.
  void disguise(Study& study) const;
  void disguise(Leaks& leaks) const;
  /// The file's name, and the reason without what it puts in quotes.
  [[nodiscard]] Refusal disguised(Refusal refusal) const;

 private:
  [[nodiscard]] std::string name(const char* kind, std::string_view text) const;
  [[nodiscard]] uint64_t number(const char* kind, std::string_view text) const;
  [[nodiscard]] std::string hash(const char* kind, std::string_view text) const;

  std::string salt_;
};

/// "YYYY-MM-DD" so many days later; nullopt where that is before year 1.
std::optional<std::string> shifted_date(const std::string& date, int64_t days);

/// Looks for two studies, or two patients, of one pseudonym. 48 bytes of each study in memory,
/// nothing without a salt.
class PseudonymCheck {
 public:
  explicit PseudonymCheck(const Pseudonyms& names) : names_(names) {}
  void add(const Study& study);
  /// \throws Error(Exit::data) if there are such
  void finish();

 private:
  struct Known {
    uint64_t pseudonym;
    uint64_t id;  ///< 64 bits of its digest: enough beside the pseudonym's
    friend auto operator<=>(const Known&, const Known&) = default;
  };
  const Pseudonyms& names_;
  std::deque<Known> studies_, patients_;
};

}  // namespace unirg::data
