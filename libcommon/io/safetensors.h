// safetensors files: an 8-byte little-endian header length, a JSON header, then the data. The
// reader maps the file and refuses headers that lie; the writer gives the same bytes for the same
// tensors. No LibTorch here: a tensor is a dtype, a shape and bytes. Format:
// github.com/huggingface/safetensors, README "Format". SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::io {

enum class Dtype { f64, f32, f16, bf16, i64, i32, u8, boolean };

/// "F32", "BF16", ... as the format spells them.
std::string_view dtype_name(Dtype dtype);
int64_t dtype_bytes(Dtype dtype);

/// A tensor whose bytes someone else owns. Row-major (C order), little-endian.
struct TensorView {
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape;
  std::string_view bytes;  ///< product(shape) * dtype_bytes
};

/// One mapped file. Views stay valid as long as the object lives.
class SafetensorsFile {
 public:
  /// \throws Error(Exit::no_input) if it cannot be opened; Error(Exit::data), naming the tensor, if
  /// the header is
  ///         not JSON, an offset is out of range or overlaps another, a size does not fit its
  ///         shape, a dtype is unknown
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  [[nodiscard]] const std::map<std::string, TensorView>& tensors() const;
  /// The "__metadata__" entries.
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes tensors in name order. Metadata {"format": "pt"} unless given, as transformers expects.
/// \returns the SHA-256 of the file
std::string write_safetensors(const std::filesystem::path& path,
                              const std::map<std::string, TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata = {
                                  {"format", "pt"}});

/// A checkpoint folder's weights: model.safetensors, or every shard that
/// model.safetensors.index.json names.
class SafetensorsFolder {
 public:
  /// \throws Error(Exit::no_input) if neither file exists; Error(Exit::data) if index and shards
  /// disagree
  explicit SafetensorsFolder(const std::filesystem::path& folder);
  [[nodiscard]] const std::map<std::string, TensorView>& tensors() const { return tensors_; }

 private:
  std::vector<SafetensorsFile> files_;
  std::map<std::string, TensorView> tensors_;
};

}  // namespace unirg::io
