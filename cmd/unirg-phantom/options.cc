// SPDX-License-Identifier: Apache-2.0
#include "options.h"

namespace unirg::phantom {
namespace {

constexpr const char* kSets = "Sets";
constexpr const char* kAmbiguity = "Ambiguity";
constexpr const char* kFiles = "Files";
constexpr const char* kReports = "Reports";

void add_sets(cli::Table& table, data::PhantomConfig& c) {
  const auto set = [&](const char* name, int64_t* target, const char* help) {
    table.push_back({.name = name,
                     .target = target,
                     .metavar = "N",
                     .help = help,
                     .min = 0,
                     .max = 200'000,
                     .group = kSets});
  };
  set("train", &c.train, "Studies in the training set, from sites A, B and C.");
  set("validate", &c.validate, "Studies in the validation set, sites A, B and C, other patients.");
  set("test", &c.test, "Studies in the test set, sites A, B and C, other patients again.");
  set("heldout", &c.heldout, "Studies of site D, which no other set has (split heldout_site).");
  table.push_back({.name = "follow-up",
                   .target = &c.follow_up,
                   .metavar = "SHARE",
                   .help = "Share of studies that are a patient's second, of two at most.",
                   .min = 0,
                   .max = .5,
                   .group = kSets});
  table.push_back({.name = "encounters",
                   .target = &c.encounters,
                   .metavar = "N",
                   .help = "Studies of a patient at most; each further one is as likely as a "
                           "second.",
                   .min = 1,
                   .max = 20,
                   .group = kSets});
}

void add_ambiguity(cli::Table& table, data::PhantomConfig& c) {
  const auto row = [&](const char* name, double* target, const char* help, double max) {
    table.push_back({.name = name,
                     .target = target,
                     .metavar = "X",
                     .help = help,
                     .min = 0,
                     .max = max,
                     .group = kAmbiguity});
  };
  row("conspicuity-min", &c.conspicuity_min,
      "Least contrast of a reported finding; 1 is plainly visible.", 4);
  row("conspicuity-max", &c.conspicuity_max,
      "Greatest contrast of a reported finding; the factor is uniform in between.", 4);
  row("decoy-probability", &c.decoy_probability,
      "Share of studies that show faint findings which the report does not mention.", 1);
  row("decoy-min", &c.decoy_min, "Least contrast of such a finding.", 4);
  row("decoy-max", &c.decoy_max, "Greatest contrast of such a finding.", 4);
  table.push_back({.name = "ctr-gap",
                   .target = &c.ctr_gap,
                   .help = "Leaves a gap between the cardiothoracic ratios of normal and enlarged "
                           "hearts; else those of neighbouring grades overlap.",
                   .group = kAmbiguity});
}

void add_files(cli::Table& table, data::PhantomConfig& c) {
  table.push_back({.name = "side",
                   .target = &c.side,
                   .metavar = "PIXELS",
                   .help = "Width and height of the pictures in pixels.",
                   .min = 16,
                   .max = 4096,
                   .group = kFiles});
  table.push_back({.name = "monochrome1",
                   .target = &c.monochrome1,
                   .metavar = "SHARE",
                   .help = "Share of files with photometric interpretation MONOCHROME1.",
                   .min = 0,
                   .max = 1,
                   .group = kFiles});
  table.push_back({.name = "cr",
                   .target = &c.cr,
                   .metavar = "SHARE",
                   .help = "Share of files of modality CR, without a window; the others are DX.",
                   .min = 0,
                   .max = 1,
                   .group = kFiles});
  table.push_back({.name = "bits",
                   .target = &c.bits,
                   .metavar = "B=SHARE,...",
                   .help = "Weights of the bits stored a pixel: 8, 10, 12, 16.",
                   .group = kFiles});
  table.push_back({.name = "transfer-syntaxes",
                   .target = &c.transfer_syntaxes,
                   .metavar = "NAME=SHARE,...",
                   .help = "Weights of the transfer syntaxes: explicit-le, implicit-le, deflated, "
                           "jpeg-lossless, jpeg-ls, rle.",
                   .group = kFiles});
}

}  // namespace

cli::ToolInfo tool_info() {
  return {.name = "unirg-phantom",
          .summary = "draws a synthetic chest radiograph archive: DICOM files, reports, truth",
          .synopsis = "[options] -o FOLDER",
          .example = "unirg-phantom --train 3200 --test 450 --seed 1 -o phantom"};
}

cli::Table option_table(Options& options) {
  data::PhantomConfig& c = options.phantom;
  cli::Table table;
  table.push_back({.name = "output",
                   .target = &options.output,
                   .metavar = "FOLDER",
                   .help = "Folder to write: dicom/, reports.csv, truth.jsonl, run.json, DONE. An "
                           "existing one is replaced when the new one is complete.",
                   .letter = 'o',
                   .required = true});
  cli::add_seed(table, options.common);
  add_sets(table, c);
  add_ambiguity(table, c);
  add_files(table, c);
  table.push_back({.name = "phrasings",
                   .target = &c.phrasings,
                   .metavar = "N",
                   .help = "Ways of wording a positive finding, at most; there are 10 each.",
                   .min = 1,
                   .max = 10,
                   .group = kReports});
  table.push_back({.name = "varied-negatives",
                   .target = &c.varied_negatives,
                   .help = "Words each negative in any site's way; else in its own site's one way.",
                   .group = kReports});
  cli::add_threads(table, options.common);
  return table;
}

}  // namespace unirg::phantom
