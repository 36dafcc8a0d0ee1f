// SPDX-License-Identifier: Apache-2.0
#include "data/record_head.h"

#include <optional>

#include "data/records.h"
#include "io/jsonl.h"

namespace unirg::data {
namespace {

/// Told what the parser meets; every answer says whether it shall go on.
class HeadReader final : public nlohmann::json_sax<io::Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(int64_t value) override { return take_number(value); }
  bool number_unsigned(uint64_t value) override { return take_number(static_cast<int64_t>(value)); }
  bool number_float(double /*value*/, const std::string& /*text*/) override { return true; }
  bool string(std::string& value) override {
    if (depth_ != 1) return true;
    if (key_ == "schema") is_study_ = value == kStudySchema;
    if (key_ == "study_id" && !study_id_) study_id_ = std::move(value);
    return goes_on();
  }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(size_t /*fields*/) override {
    ++depth_;
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ == 1) key_ = std::move(name);
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  // A line that is an array has no field of its own either.
  bool start_array(size_t /*values*/) override {
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

  [[nodiscard]] std::optional<RecordHead> head() const {
    if (!study_id_) return std::nullopt;
    return RecordHead{*study_id_, sample_.value_or(0)};
  }

 private:
  [[nodiscard]] bool goes_on() const { return !study_id_ || (!sample_ && !is_study_); }
  bool take_number(int64_t value) {
    if (depth_ == 1 && key_ == "sample" && !sample_) sample_ = value;
    return goes_on();
  }

  int depth_ = 0;
  std::string key_;  ///< the last one of the record itself
  bool is_study_ = false;
  std::optional<std::string> study_id_;
  std::optional<int64_t> sample_;
};

}  // namespace

std::optional<RecordHead> read_head(std::string_view line) {
  HeadReader reader;
  io::Json::sax_parse(line, &reader);
  return reader.head();
}

}  // namespace unirg::data
