// SPDX-License-Identifier: Apache-2.0
#include "data/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "base/error.h"

namespace unirg::data {
namespace {

using io::Fields;

template <typename T>
Json nullable(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// Reads fields into a struct and keeps the first failure, so that a parser reads as a list of
/// fields.
class FieldReader {
 public:
  explicit FieldReader(const Json& object) : object_(object), fields_(object) {}

  void schema(std::string_view expected) { keep(fields_.schema(expected)); }
  void read(std::string_view name, std::string& out) { assign(name, fields_.string(name), out); }
  void read(std::string_view name, int64_t& out) { assign(name, fields_.integer(name), out); }
  void read(std::string_view name, double& out) { assign(name, fields_.number(name), out); }
  void read(std::string_view name, std::vector<int64_t>& out) {
    assign(name, fields_.integers(name), out);
  }
  void read(std::string_view name, std::optional<std::string>& out) {
    assign(name, fields_.optional_string(name), out);
  }
  void read(std::string_view name, std::optional<double>& out) {
    assign(name, fields_.optional_number(name), out);
  }
  void read(std::string_view name, std::vector<float>& out) {
    std::vector<double> values;
    assign(name, fields_.numbers(name), values);
    out.assign(values.begin(), values.end());
  }
  /// {"name": number, ...} in file order.
  void read(std::string_view name, std::vector<std::pair<std::string, double>>& out) {
    read_numbers(name, [&](const std::string& key, const Json& value) {
      if (!value.is_number()) return false;
      out.emplace_back(key, value.get<double>());
      return true;
    });
  }
  /// {"name": number or null, ...} in file order.
  void read(std::string_view name,
            std::vector<std::pair<std::string, std::optional<double>>>& out) {
    read_numbers(name, [&](const std::string& key, const Json& value) {
      if (!value.is_number() && !value.is_null()) return false;
      out.emplace_back(key, value.is_null() ? std::nullopt : std::optional(value.get<double>()));
      return true;
    });
  }
  /// The member itself; a missing one is a failure and gives nullptr.
  const Json* member(std::string_view name) {
    known_.push_back(name);
    const auto it = object_.find(name);
    if (it != object_.end()) return &*it;
    fail(fmt::format("field '{}' is missing", name));
    return nullptr;
  }
  const Json* optional_member(std::string_view name) {
    known_.push_back(name);
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  void fail(std::string reason) {
    if (!failure_) failure_ = BadRecord{std::move(reason)};
  }
  Json unknown() const {
    Json rest = Json::object();
    for (const auto& [key, value] : object_.items()) {
      const bool is_known = std::find(known_.begin(), known_.end(), key) != known_.end();
      if (key != "schema" && !is_known) rest[key] = value;
    }
    return rest;
  }
  const std::optional<BadRecord>& failure() const { return failure_; }

 private:
  /// \param take keeps an entry, false if it is none
  template <typename Take>
  void read_numbers(std::string_view name, Take take) {
    const Json* map = member(name);
    if (!map) return;
    if (!map->is_object())
      return fail(fmt::format("field '{}': expected object, got {}", name, map->type_name()));
    for (const auto& [key, value] : map->items()) {
      if (!take(key, value)) {
        return fail(
            fmt::format("field '{}.{}': expected number, got {}", name, key, value.type_name()));
      }
    }
  }
  template <typename T>
  void keep(const Result<T>& result) {
    if (!result) fail(result.error().reason);
  }
  template <typename T>
  void assign(std::string_view name, Result<T> result, T& out) {
    known_.push_back(name);
    keep(result);
    if (result) out = std::move(*result);
  }

  const Json& object_;
  Fields fields_;
  std::vector<std::string_view> known_;  ///< names in our sources
  std::optional<BadRecord> failure_;
};

void append_extra(Json& object, const Json& extra) {
  for (const auto& [key, value] : extra.items()) object[key] = value;
}

Json to_json(const StudyImage& image) {
  Json json = {{"id", image.id},         {"view", image.view},     {"shard", image.shard},
               {"offset", image.offset}, {"bytes", image.bytes},   {"width", image.width},
               {"height", image.height}, {"sha256", image.sha256}, {"decoder", image.decoder}};
  if (!image.source.empty()) json["source"] = image.source;
  if (!image.pixels_sha256.empty()) json["pixels_sha256"] = image.pixels_sha256;
  if (!image.burned_in_annotation.empty())
    json["burned_in_annotation"] = image.burned_in_annotation;
  if (image.overlays > 0) json["overlays"] = image.overlays;
  append_extra(json, image.extra);
  return json;
}

Result<StudyImage> image_from_json(const Json& object) {
  if (!object.is_object())
    return bad_record(fmt::format("expected object, got {}", object.type_name()));
  FieldReader reader(object);
  StudyImage image;
  reader.read("id", image.id);
  reader.read("view", image.view);
  reader.read("shard", image.shard);
  reader.read("offset", image.offset);
  reader.read("bytes", image.bytes);
  reader.read("width", image.width);
  reader.read("height", image.height);
  reader.read("sha256", image.sha256);
  reader.read("decoder", image.decoder);
  std::optional<std::string> source;
  std::optional<std::string> pixels;
  std::optional<std::string> burned_in;
  std::optional<double> overlays;
  reader.read("source", source);
  reader.read("pixels_sha256", pixels);
  image.source = source.value_or("");
  image.pixels_sha256 = pixels.value_or("");
  reader.read("burned_in_annotation", burned_in);
  reader.read("overlays", overlays);
  image.burned_in_annotation = burned_in.value_or("");
  image.overlays = static_cast<int64_t>(std::clamp(overlays.value_or(0.0), 0.0, 16.0));
  if (image.shard.find("..") != std::string::npos || image.shard.starts_with('/')) {
    reader.fail("field 'shard': must be a name below the folder of the studies file");
  }
  if (image.offset < 0 || image.bytes < 0) reader.fail("field 'offset' or 'bytes': negative");
  if (reader.failure()) return tl::unexpected(*reader.failure());
  image.extra = reader.unknown();
  return image;
}

void read_images(FieldReader& reader, std::vector<StudyImage>& images) {
  const Json* array = reader.member("images");
  if (!array) return;
  if (!array->is_array())
    return reader.fail(fmt::format("field 'images': expected array, got {}", array->type_name()));
  for (const Json& object : *array) {
    auto image = image_from_json(object);
    if (!image)
      return reader.fail(fmt::format("images[{}]: {}", images.size(), image.error().reason));
    images.push_back(std::move(*image));
  }
}

void read_labels(FieldReader& reader, std::vector<ConditionLabel>& labels) {
  const Json* map = reader.optional_member("labels");
  if (!map) return;
  if (!map->is_object())
    return reader.fail(fmt::format("field 'labels': expected object, got {}", map->type_name()));
  for (const auto& [condition, value] : map->items()) {
    ConditionLabel label{condition, std::nullopt};
    if (value.is_number_integer() && value.get<int64_t>() >= -1 && value.get<int64_t>() <= 1) {
      label.value = value.get<int>();
    } else if (!value.is_null()) {
      return reader.fail(fmt::format("field 'labels.{}': expected 1, 0, -1 or null", condition));
    }
    labels.push_back(std::move(label));
  }
}

void read_source(FieldReader& reader, Study& study) {
  const Json* source = reader.optional_member("source");
  if (!source) return;
  const Fields fields(*source);
  if (!source->is_object() || !fields.string("path") || !fields.string("sha256")) {
    return reader.fail("field 'source': expected an object with strings 'path' and 'sha256'");
  }
  study.source_path = *fields.string("path");
  study.source_sha256 = *fields.string("sha256");
}

template <typename T, typename Parse, typename Key>
Records<T> read_records(const std::filesystem::path& path, OnError on_error, Parse parse, Key key) {
  Records<T> all;
  std::unordered_set<std::string> seen;
  io::JsonlReader reader(path);
  while (auto line = reader.next()) {
    Result<T> record =
        line->has_value() ? parse((*line)->object) : Result<T>(tl::unexpected(line->error()));
    if (record && !seen.insert(key(*record)).second) {
      record = bad_record(fmt::format("'{}' stands twice in this file", key(*record)));
    }
    if (record) {
      all.records.push_back(std::move(*record));
      continue;
    }
    if (on_error == OnError::stop) {
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), record.error().reason));
    }
    all.rejected.push_back({reader.place(), record.error().reason});
  }
  return all;
}

template <typename T>
std::string sample_key(const T& record) {
  return fmt::format("{} sample {}", record.study_id, record.sample);
}

}  // namespace

Json to_json(const Study& study) {
  Json images = Json::array();
  for (const StudyImage& image : study.images) images.push_back(to_json(image));
  Json labels = study.labels.empty() ? Json(nullptr) : Json::object();
  for (const ConditionLabel& label : study.labels) labels[label.condition] = nullable(label.value);
  // One by one: an initializer list makes each field three times, and an archive has many studies.
  Json object = Json::object();
  auto& fields = object.get_ref<Json::object_t&>();
  fields.reserve(24 + study.extra.size());
  fields.emplace_back("schema", kStudySchema);
  fields.emplace_back("study_id", study.study_id);
  fields.emplace_back("patient_id", study.patient_id);
  fields.emplace_back("dataset", study.dataset);
  fields.emplace_back("site", study.site);
  fields.emplace_back("split", study.split);
  fields.emplace_back("date", nullable(study.date));
  fields.emplace_back("images", std::move(images));
  fields.emplace_back("age", nullable(study.age));
  fields.emplace_back("sex", nullable(study.sex));
  fields.emplace_back("race", nullable(study.race));
  fields.emplace_back("indication", nullable(study.indication));
  fields.emplace_back("technique", nullable(study.technique));
  fields.emplace_back("comparison", nullable(study.comparison));
  fields.emplace_back("findings", nullable(study.findings));
  fields.emplace_back("impression", nullable(study.impression));
  fields.emplace_back("prior", nullable(study.prior));
  fields.emplace_back("encounter", study.encounter);
  fields.emplace_back("labels", std::move(labels));
  fields.emplace_back("modality", nullable(study.modality));
  fields.emplace_back("style", nullable(study.style));
  fields.emplace_back("source", Json{{"path", study.source_path}, {"sha256", study.source_sha256}});
  append_extra(object, study.extra);
  return object;
}

Result<Study> study_from_json(const Json& object) {
  FieldReader reader(object);
  Study study;
  reader.schema(kStudySchema);
  reader.read("study_id", study.study_id);
  reader.read("patient_id", study.patient_id);
  reader.read("dataset", study.dataset);
  reader.read("site", study.site);
  reader.read("split", study.split);
  reader.read("date", study.date);
  read_images(reader, study.images);
  reader.read("age", study.age);
  reader.read("sex", study.sex);
  reader.read("race", study.race);
  reader.read("indication", study.indication);
  reader.read("technique", study.technique);
  reader.read("comparison", study.comparison);
  reader.read("findings", study.findings);
  reader.read("impression", study.impression);
  reader.read("prior", study.prior);
  reader.read("encounter", study.encounter);
  read_labels(reader, study.labels);
  reader.read("modality", study.modality);
  reader.read("style", study.style);
  read_source(reader, study);
  if (study.study_id.empty()) reader.fail("field 'study_id' is empty");
  if (reader.failure()) return tl::unexpected(*reader.failure());
  study.extra = reader.unknown();
  return study;
}

Json to_json(const Generation& generation) {
  Json logprobs = Json::array();
  for (const float value : generation.logprobs) logprobs.push_back(io::shortest(value));
  Json object = {{"schema", kGenerationSchema},
                 {"study_id", generation.study_id},
                 {"sample", generation.sample},
                 {"text", generation.text},
                 {"findings", nullable(generation.findings)},
                 {"impression", nullable(generation.impression)},
                 {"answer", generation.answer},
                 {"finish", generation.finish},
                 {"tokens", generation.tokens},
                 {"logprobs", std::move(logprobs)},
                 {"prompt_tokens", generation.prompt_tokens},
                 {"seed", generation.seed},
                 {"policy", generation.policy}};
  append_extra(object, generation.extra);
  return object;
}

Result<Generation> generation_from_json(const Json& object) {
  FieldReader reader(object);
  Generation generation;
  reader.schema(kGenerationSchema);
  reader.read("study_id", generation.study_id);
  reader.read("sample", generation.sample);
  reader.read("text", generation.text);
  reader.read("findings", generation.findings);
  reader.read("impression", generation.impression);
  if (const Json* answer = reader.optional_member("answer")) generation.answer = *answer;
  reader.read("finish", generation.finish);
  reader.read("tokens", generation.tokens);
  reader.read("logprobs", generation.logprobs);
  reader.read("prompt_tokens", generation.prompt_tokens);
  reader.read("seed", generation.seed);
  reader.read("policy", generation.policy);
  if (generation.tokens.size() != generation.logprobs.size()) {
    reader.fail("fields 'tokens' and 'logprobs' differ in length");
  }
  if (generation.finish != "stop" && generation.finish != "length")
    reader.fail("field 'finish': expected 'stop' or 'length'");
  if (reader.failure()) return tl::unexpected(*reader.failure());
  generation.extra = reader.unknown();
  return generation;
}

Json to_json(const Reward& reward) {
  Json components = Json::object();
  for (const auto& [name, value] : reward.components)
    components[name] = value ? Json(*value) : Json(nullptr);
  Json weights = Json::object();
  for (const auto& [name, value] : reward.weights) weights[name] = value;
  Json object = {{"schema", kRewardSchema},       {"study_id", reward.study_id},
                 {"sample", reward.sample},       {"components", std::move(components)},
                 {"weights", std::move(weights)}, {"reward", reward.reward}};
  for (const auto& [name, value] : reward.terms)
    object["terms"][name] = value ? Json(*value) : Json(nullptr);
  append_extra(object, reward.extra);
  return object;
}

Result<Reward> reward_from_json(const Json& object) {
  FieldReader reader(object);
  Reward reward;
  reader.schema(kRewardSchema);
  reader.read("study_id", reward.study_id);
  reader.read("sample", reward.sample);
  reader.read("components", reward.components);
  reader.read("weights", reward.weights);
  if (object.contains("terms")) reader.read("terms", reward.terms);
  reader.read("reward", reward.reward);
  if (reader.failure()) return tl::unexpected(*reader.failure());
  reward.extra = reader.unknown();
  return reward;
}

Json to_json(const RejectedLine& rejected) {
  return {{"schema", "unirg.rejected/1"},
          {"file", rejected.place.file},
          {"line", rejected.place.line},
          {"reason", rejected.reason}};
}

Records<Study> read_studies(const std::filesystem::path& path, OnError on_error) {
  return read_records<Study>(path, on_error, study_from_json,
                             [](const Study& s) { return s.study_id; });
}
Records<Generation> read_generations(const std::filesystem::path& path, OnError on_error) {
  return read_records<Generation>(path, on_error, generation_from_json, sample_key<Generation>);
}
Records<Reward> read_rewards(const std::filesystem::path& path, OnError on_error) {
  return read_records<Reward>(path, on_error, reward_from_json, sample_key<Reward>);
}

void write_rejected(const std::filesystem::path& output,
                    const std::vector<RejectedLine>& rejected) {
  if (io::is_stream(output) || io::is_special(output)) return;
  const std::filesystem::path file = output.string() + ".rejected.jsonl";
  std::error_code ignored;
  if (rejected.empty()) {
    std::filesystem::remove(file, ignored);
    return;
  }
  std::string lines;
  for (const RejectedLine& line : rejected) lines += io::json_line(to_json(line));
  io::write_file(file, lines);
}

Shard parse_shard(std::string_view text) {
  Shard shard;
  const size_t slash = text.find('/');
  const auto number = [](std::string_view digits, int64_t& out) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
  };
  const bool valid =
      slash != std::string_view::npos && number(text.substr(0, slash), shard.index) &&
      number(text.substr(slash + 1), shard.count) && shard.index >= 0 && shard.index < shard.count;
  if (!valid)
    throw Error(
        Exit::usage,
        fmt::format("bad value '{}' for --shard (hint: i/n with 0 <= i < n, e.g. 0/4)", text));
  return shard;
}

}  // namespace unirg::data
