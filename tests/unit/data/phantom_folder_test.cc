// SPDX-License-Identifier: Apache-2.0
#include "data/phantom_folder.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "image/dicom.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;

PhantomConfig small_config() {
  PhantomConfig config;
  config.train = 16;
  config.validate = 4;
  config.test = 6;
  config.heldout = 6;
  config.side = 64;
  return config;
}

io::RunRecord run_record() { return {"unirg-phantom", {"unirg-phantom"}, io::Json::object()}; }

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().filename() == "run.json") continue;
    files[fs::relative(entry.path(), folder).string()] = io::read_file(entry.path());
  }
  return files;
}

TEST(PhantomFolder, HoldsEveryStudyAndReadsBackAsDrawn) {
  const testing::TempFolder temp;
  const image::DicomCodecs codecs;
  const PhantomConfig config = small_config();
  io::RunRecord record = run_record();
  ASSERT_TRUE(write_phantom(temp.path() / "out", config, 1, record, [] { return true; }));
  EXPECT_TRUE(fs::exists(temp.path() / "out/DONE"));
  EXPECT_TRUE(fs::exists(temp.path() / "out/run.json"));
  std::set<std::string> syntaxes;
  for (const PhantomCase& phantom : make_cases(config)) {
    const PhantomStudy& study = phantom.study;
    const auto file = image::read_dicom(temp.path() / "out" / dicom_path(study));
    ASSERT_TRUE(file) << file.error().reason;
    const auto drawn =
        image::stored_values(draw_study(config, study), study.bits, study.monochrome1);
    EXPECT_EQ(file->pixels, std::vector<int32_t>(drawn.begin(), drawn.end()));
    EXPECT_EQ(file->photometric, study.monochrome1 ? "MONOCHROME1" : "MONOCHROME2");
    EXPECT_EQ(file->bits_stored, study.bits);
    EXPECT_EQ(file->metadata.modality, study.modality);
    EXPECT_EQ(file->metadata.view_position, study.view);
    EXPECT_EQ(file->metadata.patient_id, study.patient_id);
    syntaxes.insert(file->transfer_syntax);
  }
  EXPECT_GE(syntaxes.size(), 4U);
}

TEST(PhantomFolder, BytesDoNotDependOnTheThreads) {
  const testing::TempFolder temp;
  const image::DicomCodecs codecs;
  io::RunRecord record = run_record();
  ASSERT_TRUE(write_phantom(temp.path() / "one", small_config(), 1, record, [] { return true; }));
  ASSERT_TRUE(write_phantom(temp.path() / "two", small_config(), 3, record, [] { return true; }));
  const auto one = files_of(temp.path() / "one");
  EXPECT_EQ(one.size(), 32U + 3U);
  const auto two = files_of(temp.path() / "two");
  ASSERT_EQ(two.size(), one.size());
  for (const auto& [name, bytes] : one) EXPECT_TRUE(two.at(name) == bytes) << name;
}

TEST(PhantomFolder, AStoppedRunLeavesNothingBehind) {
  const testing::TempFolder temp;
  const image::DicomCodecs codecs;
  io::RunRecord record = run_record();
  int studies = 0;
  EXPECT_FALSE(
      write_phantom(temp.path() / "out", small_config(), 2, record, [&] { return ++studies < 3; }));
  EXPECT_TRUE(fs::is_empty(temp.path()));
}

TEST(PhantomFolder, CsvQuotesTheReportAndEndsWithTheFourteenConditions) {
  EXPECT_EQ(csv_header(),
            "study_id,patient_id,site,split,date,age,sex,race,view,file,report,Enlarged "
            "Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,"
            "Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices,No "
            "Finding\n");
  PhantomCase phantom;
  phantom.study.study_id = "A-000001-1";
  phantom.study.patient_id = "A-000001";
  phantom.study.split = "train";
  phantom.study.date = "2015-02-03";
  phantom.study.age = 63;
  phantom.study.sex = "F";
  phantom.study.race = "White";
  phantom.study.view = "AP";
  phantom.study.findings.cardiomegaly = 1;
  phantom.report = {"Cough.", "One \"view\".", "None.", "A.", "B."};
  EXPECT_EQ(csv_line(phantom),
            "A-000001-1,A-000001,A,train,2015-02-03,63,F,White,AP,dicom/A/A-000001/A-000001-1.dcm,"
            "\"INDICATION: Cough.\nTECHNIQUE: One \"\"view\"\".\nCOMPARISON: None.\nFINDINGS: A.\n"
            "IMPRESSION: B.\n\",,1,,0,0,0,,0,0,0,,0,0,0\n");
}

TEST(PhantomFolder, TruthListsFindingsWithAttributesAndDecoysApart) {
  PhantomStudy study;
  study.study_id = "A-000001-2";
  study.scene.anatomy.cardiothoracic_ratio = .6;
  study.findings.cardiomegaly = 2;
  study.findings.marks.effusion[image::kLeft] = {1, .5};
  study.changes.effusion[image::kLeft] = PhantomChange::worse;
  study.scene.decoys.nodule[image::kRightUpper] = {1, .25};
  EXPECT_EQ(
      io::json_line(truth_json(study)),
      R"({"schema":"unirg.phantom-truth/1","study_id":"A-000001-2","cardiothoracic_ratio":0.6,"findings":[)"
      R"({"finding":"cardiomegaly","side":null,"lobe":null,"severity":"moderate","grade":2,"change":null,"ratio":0.6},)"
      R"({"finding":"pleural effusion","side":"left","lobe":null,"severity":"small","grade":1,"change":"worse","amplitude":0.5}],)"
      R"("decoys":[{"finding":"nodule","side":"right","lobe":"right upper lobe","severity":null,"grade":null,"change":null,"amplitude":0.25}]})"
      "\n");
}

}  // namespace
}  // namespace unirg::data
