// Words that many records share (views, splits), each kept once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unirg::data {

class NameTable {
 public:
  /// Its number, the next one for a new name.
  uint32_t number(const std::string& name) {
    const auto [it, is_new] = numbers_.emplace(name, static_cast<uint32_t>(names_.size()));
    if (is_new) names_.push_back(&it->first);
    return it->second;
  }
  [[nodiscard]] const std::string& name(uint32_t number) const { return *names_[number]; }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<const std::string*> names_;  ///< keys of the map, which stay where they are
};

}  // namespace unirg::data
