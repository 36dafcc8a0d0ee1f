// Writes a phantom hospital archive: DICOM files, a table of free-text reports, the drawn truth.
// Depends on data/phantom_cases.h, data/phantom_reports.h, image (DICOM) and io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/phantom_cases.h"
#include "data/phantom_reports.h"
#include "io/jsonl.h"
#include "io/run_record.h"

namespace unirg::data {

inline constexpr std::string_view kPhantomTruthSchema = "unirg.phantom-truth/1";

/// A study with its report; the same for every number of studies around it.
struct PhantomCase {
  PhantomStudy study;
  PhantomReport report;
};

/// All cases in order of plan_phantom; a follow-up's comparison is the impression of the study
/// before.
std::vector<PhantomCase> make_cases(const PhantomConfig& config);

/// The picture of a study, as stored_values() takes it.
image::PhantomImage draw_study(const PhantomConfig& config, const PhantomStudy& study);

/// "dicom/A/A-000123/A-000123-1.dcm"
std::filesystem::path dicom_path(const PhantomStudy& study);

/// One line of reports.csv (RFC 4180 quoting, LF): study_id, patient_id, site, split, date, age,
/// sex, race, view, file, report, then the 14 conditions (1, 0, or empty).
std::string csv_header();
std::string csv_line(const PhantomCase& phantom);

/// One line of truth.jsonl: every drawn finding with place, grade, change and contrast, and the
/// decoys.
io::Json truth_json(const PhantomStudy& study);

/// Writes FOLDER/{dicom/..., reports.csv, truth.jsonl, run.json, DONE} whole or not at all; the
/// parent folder is made. The bytes of all but run.json depend on `config` alone. Needs a living
/// image::DicomCodecs. \param go_on  called on this thread after each study; false ends the work
/// and leaves nothing behind \returns false if `go_on` ended it \throws Error(Exit::config),
/// Error(Exit::cannot_create), Error(Exit::io)
bool write_phantom(const std::filesystem::path& folder, const PhantomConfig& config, int threads,
                   io::RunRecord& record, const std::function<bool()>& go_on);

}  // namespace unirg::data
