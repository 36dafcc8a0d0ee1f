// Studies and drafts of studies put aside on disk while a run reads on: a few bytes of each stay in
// memory. Depends on records.h, file_list.h, io/shelf.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/file_list.h"
#include "data/name_table.h"
#include "data/records.h"
#include "io/shelf.h"

namespace unirg::data {

/// A picture not decoded yet.
struct SourcePicture {
  std::string name;            ///< path relative to its root, as in rejected.jsonl and the record
  std::filesystem::path path;  ///< to open
  std::string view;            ///< from the table; "" leaves it to the DICOM header
  bool is_key = false;         ///< the source names it as the study's key picture
};

/// Where a report was found.
struct ReportPlace {
  std::string file;  ///< table or XML file
  int64_t line = 0;  ///< of the table; 0: the whole file
};

/// A study whose pictures are still files.
struct Draft {
  Study study;  ///< images empty
  std::vector<SourcePicture> pictures;
  ReportPlace place;        ///< of its report, file "" without one
  std::string report_file;  ///< the Structured Report that its text is from, "" without one
};

/// Files that the draft's text is from: an XML file, a Structured Report.
int64_t report_files(const Draft& draft);

/// Given each study once, in order.
using StudyTaker = std::function<void(const Study&)>;

/// Finished studies, 8 bytes of each in memory. One thread adds, any number read.
class StudyShelf {
 public:
  /// \param folder  for its temporary file. \throws Error as io::Shelf
  explicit StudyShelf(const std::filesystem::path& folder) : shelf_(folder) {}
  void add(Study study);
  [[nodiscard]] size_t size() const { return places_.size(); }
  [[nodiscard]] Study get(size_t study) const;

 private:
  io::Shelf shelf_;
  std::deque<uint64_t> places_;  // grows without being copied, as a vector does not
};

/// Drafts in an order that may change, 20 bytes of each and 12 of each of their pictures in memory.
/// A draft's number is how many were added before; its pictures come in the order in which they
/// were added. One thread changes them; any number read.
class Drafts {
 public:
  /// \param folder  for their temporary file. \throws Error as io::Shelf
  explicit Drafts(const std::filesystem::path& folder) : shelf_(folder) {}

  /// Where pictures that are added by their number in the list lie; once, before get().
  void set_files(FileList files) { files_ = std::move(files); }
  [[nodiscard]] const FileList& files() const { return files_; }

  /// \returns its number; it is the last in the order. \throws Error(Exit::io)
  uint32_t add(Draft draft);
  /// All but the pictures that were added by file.
  [[nodiscard]] Draft report(uint32_t number) const;
  /// In the place of what report() gives. \throws Error(Exit::io)
  void replace(uint32_t number, Draft draft);

  void add_picture(uint32_t number, size_t file, const std::string& view, bool is_key = false);
  /// False if the draft has no picture of the file; else that picture is the key one if `is_key`
  /// says so or it was before.
  bool has_picture(uint32_t number, size_t file, bool is_key);
  /// Whether a picture was added by file.
  [[nodiscard]] bool has_pictures(uint32_t number) const {
    return entries_[number].first_picture != kNone;
  }

  [[nodiscard]] size_t size() const { return order_.size(); }
  [[nodiscard]] const std::vector<uint32_t>& order() const { return order_; }
  void set_order(std::vector<uint32_t> numbers) { order_ = std::move(numbers); }
  /// The one at a place in the order.
  [[nodiscard]] Draft get(size_t place) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Entry {
    uint64_t place;
    uint32_t first_picture = kNone, last_picture = kNone;
  };
  struct Picture {
    uint32_t file;
    uint32_t next = kNone;  ///< of the same draft
    uint32_t view : 31;
    uint32_t is_key : 1;
  };
  io::Shelf shelf_;
  FileList files_;
  NameTable views_;
  std::deque<Entry> entries_;
  std::deque<Picture> pictures_;
  std::vector<uint32_t> order_;
};

}  // namespace unirg::data
