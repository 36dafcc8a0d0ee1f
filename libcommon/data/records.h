// The records that tools exchange: study, generation, reward. Each is a plain struct, with one
// function to JSON (fixed key order, "schema" first) and one from JSON (bad fields named). Unknown
// fields travel along in `extra`. Documented in man/unirg-records.5. Depends on io/jsonl.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/jsonl.h"

namespace unirg::data {

using io::Json;

inline constexpr std::string_view kStudySchema = "unirg.study/1";
inline constexpr std::string_view kGenerationSchema = "unirg.generation/1";
inline constexpr std::string_view kRewardSchema = "unirg.reward/1";
inline constexpr std::string_view kScoreSchema = "unirg.score/1";

/// One 8-bit image of a study, inside a tar shard beside studies.jsonl.
struct StudyImage {
  std::string id;       ///< e.g. SOP instance digest or file stem; unique within the study
  std::string view;     ///< "AP", "PA", "LATERAL", "" when unknown
  std::string shard;    ///< file name relative to the folder of studies.jsonl
  int64_t offset = 0;   ///< of the encoded image's first byte in the shard
  int64_t bytes = 0;    ///< encoded size
  int64_t width = 0;    ///< pixels
  int64_t height = 0;   ///< pixels
  std::string sha256;   ///< of the encoded bytes
  std::string decoder;  ///< "dcmtk", "gdcm", "png", "jpeg", "tiff", "openslide"
  std::string source;   ///< file it was made from, relative to the input folder; "" when unknown
  std::string
      pixels_sha256;  ///< DICOM: of the stored values of the first frame, little-endian; else ""
  std::string burned_in_annotation = {};  ///< DICOM (0028,0301) where it is not "NO"; else ""
  int64_t overlays = 0;                   ///< DICOM: overlay planes of the file, not drawn
  Json extra = Json::object();            ///< further fields: laterality, tile, slice, montage
};

/// CheXpert label of one condition: 1 positive, 0 negative, -1 uncertain, nullopt not mentioned.
struct ConditionLabel {
  std::string condition;
  std::optional<int> value;
};

struct Study {
  std::string study_id;
  std::string patient_id;
  std::string dataset;
  std::string site;
  std::string split;                ///< "train", "validate", "test", "heldout_site", ...
  std::optional<std::string> date;  ///< "YYYY-MM-DD"
  std::vector<StudyImage>
      images;                 ///< the key (frontal) image first; may be empty (text-only studies)
  std::optional<double> age;  ///< years
  std::optional<std::string> sex;  ///< "M", "F", "O"
  std::optional<std::string> race;
  std::optional<std::string> indication, technique, comparison, findings, impression;
  std::optional<std::string> prior;    ///< study_id of the patient's most recent earlier study
  int64_t encounter = 1;               ///< 1 for the patient's first study
  std::vector<ConditionLabel> labels;  ///< the 14 CheXpert conditions in their order, or empty
  std::optional<std::string> modality;
  std::optional<std::string> style;  ///< reporting style of the site, where known (phantom)
  std::string source_path;           ///< relative to the data root
  std::string source_sha256;
  Json extra = Json::object();
};

/// One generated report. A rollout is a generation with sample 0..N-1.
struct Generation {
  std::string study_id;
  int64_t sample = 0;
  std::string text;                       ///< decoded reply, special tokens left out
  std::optional<std::string> findings;    ///< parsed from text
  std::optional<std::string> impression;  ///< parsed from text
  Json answer;                  ///< structured labels where the schema has them, else null
  std::string finish;           ///< "stop" or "length"
  std::vector<int64_t> tokens;  ///< reply ids, the end token included when finish is "stop"
  std::vector<float> logprobs;  ///< natural log, policy at the sampling temperature, one per token
  int64_t prompt_tokens = 0;
  int64_t seed = 0;
  std::string policy;  ///< digest of the checkpoint that wrote it
  Json extra = Json::object();
};

/// Reward of one generation: every component kept beside the weighted sum.
struct Reward {
  std::string study_id;
  int64_t sample = 0;
  std::vector<std::pair<std::string, std::optional<double>>> components;  ///< null: no value
  std::vector<std::pair<std::string, double>> weights;
  /// What the weights multiply, by metric: components after their transforms; empty where that is
  /// the components themselves. Null: the term was dropped.
  std::vector<std::pair<std::string, std::optional<double>>> terms;
  double reward = 0;  ///< of the components, as the run record's formula says
  Json extra = Json::object();
};

Json to_json(const Study& study);
Json to_json(const Generation& generation);
Json to_json(const Reward& reward);

Result<Study> study_from_json(const Json& object);
Result<Generation> generation_from_json(const Json& object);
Result<Reward> reward_from_json(const Json& object);

/// What a reader does with a bad line.
enum class OnError { stop, skip };

/// A line that could not be used. Written to FILE.rejected.jsonl with --on-error skip.
struct RejectedLine {
  io::Place place;
  std::string reason;
};
Json to_json(const RejectedLine& rejected);
/// Writes OUTPUT.rejected.jsonl, or removes one that an earlier run left when there is nothing to
/// write. Nothing for "-".
void write_rejected(const std::filesystem::path& output, const std::vector<RejectedLine>& rejected);

template <typename T>
struct Records {
  std::vector<T> records;
  std::vector<RejectedLine> rejected;  ///< empty unless OnError::skip
};

/// Reads a whole file of records ("-": standard input). With OnError::stop the first bad line ends
/// the run: \throws Error(Exit::data) "FILE:LINE: field 'x': ..."; Error(Exit::no_input) if the
/// file cannot be opened. A study_id that stands twice (study file) or a (study_id, sample) that
/// does (generations, rewards) is a bad line.
Records<Study> read_studies(const std::filesystem::path& path, OnError on_error = OnError::stop);
Records<Generation> read_generations(const std::filesystem::path& path,
                                     OnError on_error = OnError::stop);
Records<Reward> read_rewards(const std::filesystem::path& path, OnError on_error = OnError::stop);

/// "i/n" of --shard: record k belongs to the shard if k % n == i. Default 0/1: all.
struct Shard {
  int64_t index = 0;
  int64_t count = 1;
  [[nodiscard]] bool has(int64_t record) const { return record % count == index; }
};
/// \throws Error(Exit::usage) unless "i/n" with 0 <= i < n
Shard parse_shard(std::string_view text);

}  // namespace unirg::data
