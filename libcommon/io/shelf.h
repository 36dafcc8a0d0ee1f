// Bytes put aside on disk, of which only places stay in memory: what a run over a million studies
// holds until all have been seen. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace unirg::io {

/// A temporary file without a name: it goes with the process, however that ends.
class Shelf {
 public:
  /// \param folder  whose file system takes it; must exist
  /// \throws Error(Exit::cannot_create)
  explicit Shelf(const std::filesystem::path& folder);
  ~Shelf();
  Shelf(Shelf&& other) noexcept;
  Shelf& operator=(Shelf&& other) noexcept;
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  /// Puts bytes, at most 2^32 - 1, behind what is there. One thread at a time, beside any that get.
  /// \returns their place
  /// \throws Error(Exit::io), e.g. on a full disk; places given before stay good
  uint64_t put(std::string_view bytes);
  /// What was put at a place. From any number of threads. \throws Error(Exit::io)
  [[nodiscard]] std::string get(uint64_t place) const;
  /// Bytes of the file.
  [[nodiscard]] uint64_t size() const { return end_; }

 private:
  [[noreturn]] void fail(const char* what) const;
  /// As many bytes as there are from a place on, up to `size`.
  [[nodiscard]] size_t read(uint64_t place, char* bytes, size_t size) const;

  std::filesystem::path folder_;
  int fd_ = -1;
  uint64_t end_ = 0;
};

}  // namespace unirg::io
