// SPDX-License-Identifier: Apache-2.0
#include "data/phantom_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "image/dicom_write.h"
#include "io/atomic_file.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

using image::PhantomMark;
using image::PhantomMarks;
using image::TransferSyntax;

TransferSyntax syntax_of(std::string_view name) {
  if (name == "explicit-le") return TransferSyntax::explicit_le;
  if (name == "implicit-le") return TransferSyntax::implicit_le;
  if (name == "deflated") return TransferSyntax::deflated;
  if (name == "jpeg-lossless") return TransferSyntax::jpeg_lossless_sv1;
  if (name == "jpeg-ls") return TransferSyntax::jpeg_ls_lossless;
  UNIRG_ASSERT(name == "rle", "transfer syntax that check_config does not know");
  return TransferSyntax::rle;
}

image::DicomWriteOptions dicom_options(const PhantomConfig& config, const PhantomStudy& study) {
  image::DicomWriteOptions options;
  options.modality = study.modality == "CR" ? image::DicomModality::cr : image::DicomModality::dx;
  options.is_monochrome1 = study.monochrome1;
  options.bits_stored = study.bits;
  options.transfer_syntax = syntax_of(study.transfer_syntax);
  const std::string name = fmt::format("unirg-phantom/{}/{}", config.seed, study.study_id);
  options.study_instance_uid = image::deterministic_uid(name + "/study");
  options.series_instance_uid = image::deterministic_uid(name + "/series");
  options.sop_instance_uid = image::deterministic_uid(name + "/instance");
  options.patient_id = study.patient_id;
  options.patient_name = "PHANTOM^" + study.patient_id;
  options.accession_number = study.study_id;
  options.study_date = study.date;
  std::erase(options.study_date, '-');
  options.study_time = "120000";
  options.view_position = study.view;
  options.patient_age = fmt::format("{:03}Y", study.age);
  options.patient_sex = study.sex;
  options.ethnic_group = study.race;
  options.institution_name = fmt::format("Site {}", study.site);
  options.study_description = "CHEST 1 VIEW";
  options.pixel_spacing_mm = 430.0 / static_cast<double>(config.side);  // a 43 cm detector
  return options;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

/// The marks of one group of findings as JSON objects; `change` is empty for decoys.
class TruthList {
 public:
  void heart(int grade, double ratio) {
    if (grade > 0) push("cardiomegaly", nullptr, nullptr, severity_name(grade), grade, "", ratio);
  }
  void marks(const PhantomMarks& m, const PhantomChanges& c) {
    one("edema", m.edema, nullptr, nullptr, severity_name, c.edema);
    for (size_t i = 0; i < 4; ++i) lobe("consolidation", m.consolidation[i], i, c.consolidation[i]);
    for (size_t i = 0; i < 4; ++i) lobe("nodule", m.nodule[i], i, PhantomChange::none);
    for (size_t i = 0; i < 2; ++i)
      side("atelectasis", m.atelectasis[i], i, nullptr, PhantomChange::none);
    for (size_t i = 0; i < 2; ++i)
      side("pleural effusion", m.effusion[i], i, size_name, c.effusion[i]);
    for (size_t i = 0; i < 2; ++i) {
      side("pneumothorax", m.pneumothorax[i], i, size_name, c.pneumothorax[i]);
    }
    for (size_t i = 0; i < 2; ++i) side("fracture", m.fracture[i], i, nullptr, PhantomChange::none);
    one("pacemaker", m.pacemaker, nullptr, nullptr, nullptr, PhantomChange::none);
    one("central line", m.line, nullptr, nullptr, nullptr, PhantomChange::none);
    one("endotracheal tube", m.tube, nullptr, nullptr, nullptr, PhantomChange::none);
  }
  [[nodiscard]] io::Json take() { return std::move(list_); }

 private:
  using GradeName = std::string_view (*)(int);

  void lobe(std::string_view finding, const PhantomMark& mark, size_t i, PhantomChange change) {
    const std::string name(lobe_name(static_cast<int>(i)));
    one(finding, mark, name.starts_with("right") ? "right" : "left", name, nullptr, change);
  }
  void side(std::string_view finding, const PhantomMark& mark, size_t i, GradeName grade_name,
            PhantomChange change) {
    one(finding, mark, side_name(static_cast<int>(i)), nullptr, grade_name, change);
  }
  void one(std::string_view finding, const PhantomMark& mark, const io::Json& side,
           const io::Json& lobe, GradeName grade_name, PhantomChange change) {
    if (mark.grade == 0) return;
    const std::string_view severity = grade_name == nullptr ? "" : grade_name(mark.grade);
    push(finding, side, lobe, severity, mark.grade, change_name(change), mark.amplitude);
  }
  /// \param strength contrast, or the ratio of a heart
  void push(std::string_view finding, const io::Json& side, const io::Json& lobe,
            std::string_view severity, int grade, std::string_view change, double strength) {
    const auto word = [](std::string_view text) {
      return text.empty() ? io::Json() : io::Json(text);
    };
    io::Json object{
        {"finding", finding}, {"side", side}, {"lobe", lobe}, {"severity", word(severity)}};
    object["grade"] = severity.empty() ? io::Json() : io::Json(grade);
    object["change"] = word(change);
    object[finding == "cardiomegaly" ? "ratio" : "amplitude"] = strength;
    list_.push_back(std::move(object));
  }

  io::Json list_ = io::Json::array();
};

}  // namespace

std::vector<PhantomCase> make_cases(const PhantomConfig& config) {
  std::vector<PhantomCase> cases;
  for (PhantomStudy& study : plan_phantom(config)) {
    std::string prior;
    if (study.encounter > 1) {
      UNIRG_ASSERT(!cases.empty() && cases.back().study.patient_id == study.patient_id,
                   "follow-up without the study before");
      prior = cases.back().report.impression;
    }
    PhantomReport report = write_report(config, study, prior);
    cases.push_back({std::move(study), std::move(report)});
  }
  return cases;
}

image::PhantomImage draw_study(const PhantomConfig& config, const PhantomStudy& study) {
  return image::draw_phantom(
      study.scene, config.side,
      {static_cast<uint64_t>(config.seed), study.patient_id, study.study_id});
}

fs::path dicom_path(const PhantomStudy& study) {
  return fs::path("dicom") / std::string(1, study.site) / study.patient_id /
         (study.study_id + ".dcm");
}

std::string csv_header() {
  std::string line = "study_id,patient_id,site,split,date,age,sex,race,view,file,report";
  for (const std::string_view condition : text::kConditions) {
    line += ',';
    line += csv_field(condition);
  }
  return line + '\n';
}

std::string csv_line(const PhantomCase& phantom) {
  const PhantomStudy& s = phantom.study;
  std::string line =
      fmt::format("{},{},{},{},{},{},{},{},{},{},{}", s.study_id, s.patient_id, s.site, s.split,
                  s.date, s.age, s.sex, csv_field(s.race), s.view, dicom_path(s).generic_string(),
                  csv_field(report_text(phantom.report)));
  for (const std::optional<int> label : condition_labels(s.findings)) {
    line += label ? fmt::format(",{}", *label) : ",";
  }
  return line + '\n';
}

io::Json truth_json(const PhantomStudy& study) {
  TruthList findings;
  findings.heart(study.findings.cardiomegaly, study.scene.anatomy.cardiothoracic_ratio);
  findings.marks(study.findings.marks, study.changes);
  TruthList decoys;
  decoys.marks(study.scene.decoys, {});
  return {{"schema", kPhantomTruthSchema},
          {"study_id", study.study_id},
          {"cardiothoracic_ratio", study.scene.anatomy.cardiothoracic_ratio},
          {"findings", findings.take()},
          {"decoys", decoys.take()}};
}

bool write_phantom(const fs::path& folder, const PhantomConfig& config, int threads,
                   io::RunRecord& record, const std::function<bool()>& go_on) {
  const std::vector<PhantomCase> cases = make_cases(config);
  io::make_folders(folder.has_filename() ? folder.parent_path()
                                         : folder.parent_path().parent_path());
  io::AtomicFolder out(folder);
  io::AtomicFile reports(out.temporary() / "reports.csv");
  io::AtomicFile truth(out.temporary() / "truth.jsonl");
  reports.write(csv_header());
  Sha256 pictures;
  std::map<std::string, int64_t> counts;
  bool finished = true;
  ordered_parallel(
      threads, static_cast<int64_t>(cases.size()),
      [&](int64_t i) {
        const PhantomStudy& study = cases[static_cast<size_t>(i)].study;
        const fs::path file = out.temporary() / dicom_path(study);
        io::make_folders(file.parent_path());
        const image::PhantomImage picture = draw_study(config, study);
        return image::write_dicom(file, picture.side, picture.side,
                                  image::stored_values(picture, study.bits, study.monochrome1),
                                  dicom_options(config, study));
      },
      [&](int64_t i, const std::string& sha256) {
        const PhantomCase& phantom = cases[static_cast<size_t>(i)];
        reports.write(csv_line(phantom));
        truth.write(io::json_line(truth_json(phantom.study)));
        pictures.update(fmt::format("{} {}\n", dicom_path(phantom.study).generic_string(), sha256));
        ++counts[phantom.study.split];
        return finished = go_on();
      });
  if (!finished) return false;
  reports.commit();
  truth.commit();
  for (const auto& [split, count] : counts) record.note(split, count);
  record.add_output("reports.csv", reports.sha256());
  record.add_output("truth.jsonl", truth.sha256());
  record.add_output("dicom", pictures.hex());  // over "NAME SHA256\n" of each file
  record.write(out.temporary() / "run.json");
  out.commit();
  return true;
}

}  // namespace unirg::data
