// SPDX-License-Identifier: Apache-2.0
#include "data/record_head.h"

#include <algorithm>
#include <charconv>
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

/// What a record that one of the tools wrote begins with: "schema", "study_id" and "sample" in this
/// order, strings of plain ASCII. A shard looks at every line, so this is no whole JSON parser.
class PlainHead {
 public:
  explicit PlainHead(std::string_view line) : rest_(line) {}

  /// \returns nullopt for anything else, which may be a record all the same
  std::optional<RecordHead> read() {
    if (!take('{') || !take_key("schema")) return std::nullopt;
    const auto schema = take_string();
    if (!schema || !take(',') || !take_key("study_id")) return std::nullopt;
    const auto study_id = take_string();
    if (!study_id || !take(',')) return std::nullopt;
    if (*schema == kStudySchema) return RecordHead{std::string(*study_id), 0};
    int64_t sample = 0;
    if (!take_key("sample") || !take_number(sample)) return std::nullopt;
    return RecordHead{std::string(*study_id), sample};
  }

 private:
  void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size())); }
  bool take(char c) {
    skip_spaces();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<std::string_view> take_string() {
    if (!take('"')) return std::nullopt;
    const size_t end = rest_.find('"');
    const std::string_view text = rest_.substr(0, end);
    const bool is_plain = end != rest_.npos && std::all_of(text.begin(), text.end(), [](char c) {
                            return c >= ' ' && c <= '~' && c != '\\';
                          });
    if (!is_plain) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool take_key(std::string_view name) { return take_string() == name && take(':'); }
  bool take_number(int64_t& value) {
    skip_spaces();
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return error == std::errc() && take(',');
  }
  std::string_view rest_;
};

}  // namespace

std::optional<RecordHead> read_head(std::string_view line) {
  if (auto head = PlainHead(line).read()) return head;
  HeadReader reader;
  io::Json::sax_parse(line, &reader);
  return reader.head();
}

}  // namespace unirg::data
