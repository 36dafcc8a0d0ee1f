// TensorBoard's event files from metrics.jsonl. Depends on protobuf.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace unirg::io {

/// One record of a TFRecord file: length (uint64), its masked CRC-32C, the bytes, their masked
/// CRC-32C, all little-endian.
std::string tf_record(std::string_view bytes);

/// The event file of a metrics.jsonl: every number of every line that has a "step", nested fields
/// as "rewards/reward/mean", as float. The wall time of an event is its step: equal metrics give
/// equal bytes. \throws Error(Exit::no_input), Error(Exit::data) "FILE:LINE: ..." for what is no
/// JSON, also when no line has a step
std::string tensorboard_events(const std::filesystem::path& metrics);

}  // namespace unirg::io
