// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"

namespace unirg::io {
namespace {

namespace fs = std::filesystem;

struct DtypeRow {
  Dtype dtype;
  std::string_view name;
  int64_t bytes;
};
constexpr DtypeRow kDtypes[] = {{Dtype::f64, "F64", 8}, {Dtype::f32, "F32", 4},
                                {Dtype::f16, "F16", 2}, {Dtype::bf16, "BF16", 2},
                                {Dtype::i64, "I64", 8}, {Dtype::i32, "I32", 4},
                                {Dtype::u8, "U8", 1},   {Dtype::boolean, "BOOL", 1}};

const DtypeRow& row_of(Dtype dtype) {
  for (const DtypeRow& row : kDtypes) {
    if (row.dtype == dtype) return row;
  }
  UNIRG_ASSERT(false, "unknown dtype");
}

struct Entry {
  std::string name;
  TensorView view;
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// product(shape) * item size, or nullopt on a negative size or overflow.
std::optional<uint64_t> checked_bytes(const std::vector<int64_t>& shape, int64_t item) {
  uint64_t total = static_cast<uint64_t>(item);
  for (const int64_t n : shape) {
    if (n < 0 || __builtin_mul_overflow(total, static_cast<uint64_t>(n), &total))
      return std::nullopt;
  }
  return total;
}

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw Error(Exit::data,
              fmt::format("'{}' is not a valid safetensors file: {}", path.string(), why));
}

Entry parse_entry(const fs::path& path, const std::string& name, const Json& object,
                  uint64_t data_bytes) {
  if (!object.is_object()) refuse(path, fmt::format("tensor '{}': not an object", name));
  const Fields fields(object);
  const auto dtype = fields.string("dtype");
  const auto shape = fields.integers("shape");
  const auto offsets = fields.integers("data_offsets");
  if (!dtype) refuse(path, fmt::format("tensor '{}': {}", name, dtype.error().reason));
  if (!shape) refuse(path, fmt::format("tensor '{}': {}", name, shape.error().reason));
  if (!offsets) refuse(path, fmt::format("tensor '{}': {}", name, offsets.error().reason));
  const auto row = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                [&](const DtypeRow& r) { return r.name == *dtype; });
  if (row == std::end(kDtypes))
    refuse(path, fmt::format("tensor '{}': unknown dtype '{}'", name, *dtype));
  if (offsets->size() != 2 || (*offsets)[0] < 0 || (*offsets)[1] < (*offsets)[0] ||
      static_cast<uint64_t>((*offsets)[1]) > data_bytes) {
    refuse(path, fmt::format("tensor '{}': data_offsets out of range", name));
  }
  const auto bytes = checked_bytes(*shape, row->bytes);
  const uint64_t begin = static_cast<uint64_t>((*offsets)[0]);
  const uint64_t end = static_cast<uint64_t>((*offsets)[1]);
  if (!bytes || *bytes != end - begin)
    refuse(path, fmt::format("tensor '{}': size does not fit its shape", name));
  return {name, {row->dtype, *shape, {}}, begin, end};
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return row_of(dtype).name; }
int64_t dtype_bytes(Dtype dtype) { return row_of(dtype).bytes; }

struct SafetensorsFile::Impl {
  fs::path path;
  void* map = MAP_FAILED;
  size_t size = 0;
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;

  ~Impl() {
    if (map != MAP_FAILED) ::munmap(map, size);
  }
  void open();
  void parse();
};

void SafetensorsFile::Impl::open() {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    throw Error(Exit::no_input,
                fmt::format("cannot open '{}': {}", path.string(), std::strerror(errno)));
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  size = known ? static_cast<size_t>(info.st_size) : 0;
  // Writable but private: who writes to a tensor changes a page of its own, never the file.
  if (size >= 8)
    map = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
  ::close(fd);
  if (size < 8) refuse(path, "shorter than its 8-byte header length");
  if (map == MAP_FAILED)
    throw Error(Exit::io, fmt::format("cannot map '{}': {}", path.string(), std::strerror(errno)));
}

void SafetensorsFile::Impl::parse() {
  const char* base = static_cast<const char*>(map);
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, base, 8);
  if (header_bytes > size - 8)
    refuse(path, "header length exceeds the file (hint: the file may be truncated)");
  Json header;
  std::set<std::string> seen;
  bool duplicate = false;
  try {
    header = Json::parse(std::string_view(base + 8, header_bytes),
                         [&](int depth, Json::parse_event_t event, Json& parsed) {
                           if (event == Json::parse_event_t::key && depth == 1)
                             duplicate |= !seen.insert(parsed.get<std::string>()).second;
                           return true;
                         });
  } catch (const Json::exception&) {
    refuse(path, "header is not JSON");
  }
  if (!header.is_object()) refuse(path, "header is not a JSON object");
  if (duplicate) refuse(path, "a tensor name stands twice in the header");
  const char* data = base + 8 + header_bytes;
  const uint64_t data_bytes = size - 8 - header_bytes;
  std::vector<Entry> entries;
  for (const auto& [name, object] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(parse_entry(path, name, object, data_bytes));
      continue;
    }
    if (!object.is_object()) refuse(path, "__metadata__ is not an object");
    for (const auto& [key, value] : object.items()) {
      if (!value.is_string()) refuse(path, "__metadata__ holds a value that is no string");
      metadata.emplace(key, value.get<std::string>());
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.begin < b.begin; });
  uint64_t covered = 0;
  for (Entry& entry : entries) {
    if (entry.begin < covered)
      refuse(path, fmt::format("tensor '{}': overlaps another", entry.name));
    covered = entry.end;
    entry.view.bytes = {data + entry.begin, static_cast<size_t>(entry.end - entry.begin)};
    tensors.emplace(entry.name, std::move(entry.view));
  }
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->open();
  impl_->parse();
}
SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::map<std::string, TensorView>& SafetensorsFile::tensors() const { return impl_->tensors; }
const std::map<std::string, std::string>& SafetensorsFile::metadata() const {
  return impl_->metadata;
}

std::string write_safetensors(const fs::path& path,
                              const std::map<std::string, TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  int64_t offset = 0;
  for (const auto& [name, view] : tensors) {
    const auto bytes = static_cast<int64_t>(view.bytes.size());
    UNIRG_ASSERT(checked_bytes(view.shape, dtype_bytes(view.dtype)) == static_cast<uint64_t>(bytes),
                 "tensor bytes do not fit its shape");
    header[name] = {{"dtype", dtype_name(view.dtype)},
                    {"shape", view.shape},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // data starts aligned to 8 bytes
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write({reinterpret_cast<const char*>(&length), 8});
  file.write(text);
  for (const auto& [name, view] : tensors) file.write(view.bytes);
  file.commit();
  return file.sha256();
}

SafetensorsFolder::SafetensorsFolder(const fs::path& folder) {
  const fs::path index = folder / "model.safetensors.index.json";
  std::vector<std::string> names{"model.safetensors"};
  std::map<std::string, std::string> expected;
  if (!fs::exists(folder / names[0])) {
    if (!fs::exists(index)) {
      throw Error(
          Exit::no_input,
          fmt::format("no 'model.safetensors' and no 'model.safetensors.index.json' in '{}'",
                      folder.string()));
    }
    names.clear();
    const Json whole = Json::parse(read_file(index), nullptr, false);
    const Json map = whole.is_object() ? whole.value("weight_map", Json()) : Json();
    if (!map.is_object())
      throw Error(Exit::data, fmt::format("'{}': field 'weight_map' is missing", index.string()));
    for (const auto& [tensor, file] : map.items()) {
      if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos) {
        throw Error(Exit::data,
                    fmt::format("'{}': tensor '{}': bad file name", index.string(), tensor));
      }
      expected.emplace(tensor, file.get<std::string>());
      names.push_back(file.get<std::string>());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
  }
  for (const std::string& name : names) {
    files_.emplace_back(folder / name);
    for (const auto& [tensor, view] : files_.back().tensors()) {
      if (!expected.empty() && (!expected.contains(tensor) || expected.at(tensor) != name)) {
        throw Error(Exit::data,
                    fmt::format("'{}': tensor '{}' is in '{}' but the index does not say so",
                                index.string(), tensor, name));
      }
      tensors_.emplace(tensor, view);
    }
  }
  for (const auto& [tensor, file] : expected) {
    if (!tensors_.contains(tensor)) {
      throw Error(Exit::data, fmt::format("'{}': tensor '{}' is missing from '{}'", index.string(),
                                          tensor, file));
    }
  }
}

}  // namespace unirg::io
