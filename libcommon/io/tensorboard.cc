// SPDX-License-Identifier: Apache-2.0
#include "io/tensorboard.h"

#include <fmt/format.h>

#include <boost/crc.hpp>
#include <cstdint>

#include "base/error.h"
#include "io/jsonl.h"
#include "io/tensorboard.pb.h"

namespace unirg::io {
namespace {

/// CRC-32C (Castagnoli), turned and shifted as TFRecord has it, so that the checksum of a file that
/// holds checksums is no special case.
uint32_t masked_crc(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  const uint32_t value = crc.checksum();
  return (value >> 15 | value << 17) + 0xA282EAD8U;
}

template <typename Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(number); ++i) bytes += static_cast<char>(number >> (8 * i) & 0xff);
  return bytes;
}

std::string record_of(const tensorboard::Event& event) {
  std::string bytes;
  if (!event.SerializeToString(&bytes))
    throw Error(Exit::internal, "protobuf could not write an event");
  return tf_record(bytes);
}

void add_numbers(const Json& json, const std::string& tag, tensorboard::Summary& summary) {
  if (json.is_number()) {
    tensorboard::Value& value = *summary.add_value();
    value.set_tag(tag);
    value.set_simple_value(json.get<float>());
  } else if (json.is_object()) {
    for (const auto& [name, field] : json.items())
      add_numbers(field, tag.empty() ? name : tag + "/" + name, summary);
  }
}

}  // namespace

std::string tf_record(std::string_view bytes) {
  const std::string length = little_endian(static_cast<uint64_t>(bytes.size()));
  return length + little_endian(masked_crc(length)) + std::string(bytes) +
         little_endian(masked_crc(bytes));
}

std::string tensorboard_events(const std::filesystem::path& metrics) {
  tensorboard::Event version;
  version.set_file_version("brain.Event:2");
  std::string file = record_of(version);
  JsonlReader reader(metrics);
  int64_t events = 0;
  while (auto line = reader.next()) {
    if (!line->has_value())
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), line->error().reason));
    Json json = (*line)->object;
    if (!json.contains("step") || !json["step"].is_number()) continue;
    tensorboard::Event event;
    event.set_step(json["step"].get<int64_t>());
    event.set_wall_time(json["step"].get<double>());
    json.erase("step");
    add_numbers(json, "", *event.mutable_summary());
    file += record_of(event);
    ++events;
  }
  if (events == 0)
    throw Error(Exit::data, fmt::format("'{}': no line has a step", metrics.string()));
  return file;
}

}  // namespace unirg::io
