// SPDX-License-Identifier: Apache-2.0
#include "options.h"

namespace unirg {

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names{"mimic-cxr", "chexpert-plus", "rexgradient",
                                              "iu-xray",   "padchest",      "rexrank",
                                              "dmid",      "ffa-ir",        "hist"};
  return names;
}

namespace {

std::vector<std::string> sources() {
  std::vector<std::string> names{"dicom", "images", "openi", "table"};
  names.insert(names.end(), dataset_names().begin(), dataset_names().end());
  names.emplace_back("layout");
  return names;
}

/// What keeps identifiers out of the output.
cli::Table privacy_rows(IngestToolOptions& o) {
  const char* const kPrivacy = "Privacy";
  return {
      {.name = "salt-file",
       .target = &o.ingest.salt_file,
       .metavar = "FILE",
       .help = "Secret of 16 bytes or more, by which ids and file names become keyed hashes and "
               "each patient's dates move back by a number of days.",
       .group = kPrivacy},
      {.name = "scrub",
       .target = &o.scrub,
       .help = "Replaces names, dates, telephone and record numbers in report text by ___.",
       .group = kPrivacy},
      {.name = "scrub-rules",
       .target = &o.ingest.scrub_rules,
       .metavar = "FILE",
       .help = "YAML file of the rules of --scrub, instead of the one that comes with UniRG.",
       .group = kPrivacy},
      {.name = "forbid",
       .target = &o.ingest.forbid,
       .metavar = "PATH",
       .help =
           "Identifiers that no output may hold, or the run fails with 65 and writes nothing: a "
           "file with one a line, or a folder of DICOM files whose headers hold them; "
           "repeatable, and what the subcommand check looks for.",
       .group = kPrivacy},
  };
}

/// What is made of whole slides.
cli::Table slide_rows(IngestToolOptions& o) {
  const char* const kSlides = "Whole slides";
  image::TileOptions& tiles = o.ingest.decode.tiles;
  return {
      {.name = "slide-tiles",
       .target = &tiles.count,
       .metavar = "N",
       .help = "Most tiles of a slide, evenly spaced among those with tissue.",
       .min = 1,
       .max = 1024,
       .group = kSlides},
      {.name = "slide-tile-size",
       .target = &tiles.size,
       .metavar = "N",
       .help = "Pixels of a side of a tile.",
       .min = 16,
       .max = 4096,
       .group = kSlides},
      {.name = "slide-mpp",
       .target = &tiles.mpp,
       .metavar = "X",
       .help = "Microns of a pixel of a tile; 0 takes the slide's largest level as it is.",
       .min = 0,
       .max = 1000,
       .group = kSlides},
      {.name = "slide-tissue",
       .target = &tiles.tissue,
       .metavar = "X",
       .help = "Least share of a tile that is tissue.",
       .min = 0,
       .max = 1,
       .group = kSlides},
  };
}

/// What is shown of CT series, and how many images of any study.
cli::Table series_rows(IngestToolOptions& o) {
  const char* const kSeries = "Studies of many images";
  return {
      {.name = "ct-rule",
       .target = &o.ct_rule,
       .metavar = "RULE",
       .help = "What is shown of a CT series: key-slices, evenly spaced; montage, those as one "
               "picture; all.",
       .choices = {"key-slices", "montage", "all"},
       .group = kSeries},
      {.name = "ct-slices",
       .target = &o.ingest.ct.slices,
       .metavar = "N",
       .help = "Slices of a series that are shown, but with --ct-rule all.",
       .min = 1,
       .max = 1024,
       .group = kSeries},
      {.name = "ct-window",
       .target = &o.ingest.decode.ct_window,
       .metavar = "NAME",
       .help = "Window of CT: the file's own, or in Hounsfield units lung (centre -600, width "
               "1500), mediastinum (50, 350) or bone (400, 1800).",
       .choices = data::ct_window_names(),
       .group = kSeries},
      {.name = "max-images",
       .target = &o.ingest.max_images,
       .metavar = "N",
       .help = "Most images of a study, the first in its order; 0 for all.",
       .min = 0,
       .max = 1e9,
       .group = kSeries},
      {.name = "categories",
       .target = &o.ingest.categories,
       .metavar = "FILE",
       .help = "YAML file of the categories that BI-RADS and breast density of mammography reports "
               "are read by, instead of the one that comes with UniRG.",
       .group = kSeries},
  };
}

/// Of the subcommand stats.
cli::Table stats_rows(IngestToolOptions& o) {
  const char* const kCard = "Data card (stats)";
  return {
      {.name = "format",
       .target = &o.format,
       .metavar = "FORMAT",
       .help = "Of the card on standard output.",
       .choices = {"markdown", "json", "none"},
       .group = kCard},
      {.name = "table",
       .target = &o.table,
       .metavar = "FILE",
       .help = "Writes the card as Markdown there, too.",
       .group = kCard},
      {.name = "summary",
       .target = &o.summary,
       .metavar = "FILE",
       .help = "Writes the card as one JSON object there.",
       .group = kCard},
      {.name = "template-share",
       .target = &o.template_share,
       .metavar = "X",
       .help = "A sentence that this share of a site's patients have, and two at least, is a "
               "template.",
       .min = 1e-6,
       .max = 1,
       .group = kCard},
  };
}

}  // namespace

cli::Table ingest_table(IngestToolOptions& o) {
  data::IngestOptions& i = o.ingest;
  data::SourceOptions& s = i.source;
  cli::Table table{
      {.name = "source",
       .target = &s.source,
       .metavar = "KIND",
       .help = "What is read: dicom (a folder of DICOM files and a report table), images (PNG, "
               "JPEG and TIFF files and a table), openi (Open-i XML reports), table (reports "
               "alone, images "
               "optional), a dataset as its owners lay it out, or layout (as --layout says).",
       .choices = sources()},
      {.name = "layout",
       .target = &s.layout,
       .metavar = "FILE",
       .help = "YAML file that says how a dataset is laid out, instead of the one that comes with "
               "UniRG."},
      {.name = "reports",
       .target = &s.reports,
       .metavar = "FILE",
       .help = "Report table: .csv, .tsv or .jsonl; of a dataset, a table to read instead of its "
               "own, or a further folder of tables and reports."},
      {.name = "columns",
       .target = &s.columns,
       .metavar = "FILE",
       .help = "YAML map from our field names to the table's columns, or to {value: text}; unnamed "
               "fields are looked up under their own names."},
      {.name = "images",
       .target = &s.images,
       .metavar = "DIR",
       .help = "Folder of pictures named by the parentImage ids of Open-i reports; of a dataset, a "
               "further folder."},
      {.name = "dataset",
       .target = &s.dataset,
       .metavar = "NAME",
       .help = "Dataset name for records whose table does not give one."},
      {.name = "allow-missing-report",
       .target = &s.allow_missing_report,
       .help = "Keeps studies without a report."},
      {.name = "output",
       .target = &i.output,
       .metavar = "DIR",
       .help = "Folder for studies.jsonl, rejected.jsonl, image shards and summary.json; must be "
               "given but with a subcommand.",
       .letter = 'o'},
      {.name = "splits",
       .target = &o.splits,
       .metavar = "NAME=SHARE,...",
       .help = "Shares of patients in each split, for studies whose table names none."},
      {.name = "heldout-site",
       .target = &i.heldout_sites,
       .metavar = "SITE",
       .help = "Site whose studies all go to the split heldout_site."},
      {.name = "hold-out",
       .target = &o.hold_out,
       .metavar = "NAME=N,...",
       .help = "Moves N studies of whole patients from the split train to the split NAME."},
      {.name = "exclude",
       .target = &i.exclude,
       .metavar = "FILE",
       .help = "List of studies that are kept in the split test only: ReXrank's JSON, study "
               "records, a table with study_id, or an id a line; repeatable."},
      {.name = "check-leaks",
       .target = &i.check_leaks,
       .help = "Looks for pictures and near-duplicate reports of tested studies among the others; "
               "--exclude does so too."},
      {.name = "near-duplicate",
       .target = &i.near_duplicate,
       .metavar = "X",
       .help = "Least Jaccard index of word 5-grams of two reports that count as near-duplicates.",
       .min = 0.6,
       .max = 1},
      {.name = "fail-on-leak",
       .target = &o.fail_on_leak,
       .metavar = "KIND,...",
       .help = "Fails with 65 when there are leaks of this kind: id (a listed study had to be left "
               "out), image, text; the output is written all the same."},
      {.name = "label",
       .target = &i.lexicon,
       .metavar = "LEXICON",
       .help = "Labels from the rule labeler with this lexicon where the table has none."},
      {.name = "longest-side",
       .target = &i.decode.longest_side,
       .metavar = "N",
       .help = "Scales pictures down to N pixels on the longer side; 0 keeps their size.",
       .min = 0,
       .max = 65535},
      {.name = "shard-bytes",
       .target = &i.shard_bytes,
       .metavar = "N",
       .help = "A tar shard is closed when it has grown beyond N bytes.",
       .min = 1,
       .max = 1e15},
      {.name = "archive-entries",
       .target = &i.archive.entries,
       .metavar = "N",
       .help = "Most entries that a zip or tar file given as DIR may have.",
       .min = 1,
       .max = 1e12},
      {.name = "archive-bytes",
       .target = &i.archive.bytes,
       .metavar = "N",
       .help = "Most bytes that it may unpack to.",
       .min = 1,
       .max = 1e18},
      {.name = "archive-entry-bytes",
       .target = &i.archive.entry_bytes,
       .metavar = "N",
       .help = "Most bytes that one file of it may unpack to.",
       .min = 1,
       .max = 1e18},
      {.name = "max-rejected",
       .target = &o.max_rejected,
       .metavar = "N",
       .help = "Fails with 65 when more files and rows than this are rejected; the output is "
               "written all the same.",
       .min = 0,
       .max = 1e12},
      {.name = "root",
       .target = &s.root,
       .metavar = "DIR",
       .help =
           "Folder that holds the input files, searched recursively in sorted order; or a zip "
           "or tar file of one, or a DICOMDIR; or a subcommand: verify checks the files of a "
           "FOLDER that this program wrote against their digests, stats prints the data card of "
           "a FOLDER or of study records, check looks for identifiers in files.",
       .positional = true},
      {.name = "arguments",
       .target = &o.arguments,
       .metavar = "FOLDER",
       .help =
           "What a subcommand works on: the output of a run; for stats a studies.jsonl, too, for "
           "check any files and folders.",
       .positional = true},
  };
  cli::append(table, slide_rows(o));
  cli::append(table, series_rows(o));
  cli::append(table, privacy_rows(o));
  cli::append(table, stats_rows(o));
  cli::add_seed(table, o.common);
  cli::add_threads(table, o.common);
  cli::add_shard(table, o.common);
  table.push_back(
      {.name = "parts",
       .target = &i.parts,
       .metavar = "DIR",
       .help = "Output of one shard; given for all of them, with the options they had, their "
               "pictures are taken instead of decoded, and the output is that of one run.",
       .group = "Resources"});
  table.push_back({.name = "cache",
                   .target = &i.cache,
                   .metavar = "DIR",
                   .help = "Folder of pictures decoded before: a rerun decodes only files that are "
                           "new. Runs may share it; the output does not depend on it.",
                   .group = "Resources"});
  return table;
}

}  // namespace unirg
