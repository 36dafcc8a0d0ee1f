// SPDX-License-Identifier: Apache-2.0
#include "options.h"

namespace unirg {

cli::Table ingest_table(IngestToolOptions& o) {
  data::IngestOptions& i = o.ingest;
  data::SourceOptions& s = i.source;
  cli::Table table{
      {.name = "source",
       .target = &s.source,
       .metavar = "KIND",
       .help = "What is read: dicom (a folder of DICOM files and a report table), images (PNG and "
               "JPEG files and a table), openi (Open-i XML reports), table (reports alone, images "
               "optional).",
       .choices = {"dicom", "images", "openi", "table"}},
      {.name = "reports",
       .target = &s.reports,
       .metavar = "FILE",
       .help = "Report table: .csv, .tsv or .jsonl."},
      {.name = "columns",
       .target = &s.columns,
       .metavar = "FILE",
       .help = "YAML map from our field names to the table's columns, or to {value: text}; unnamed "
               "fields are looked up under their own names."},
      {.name = "images",
       .target = &s.images,
       .metavar = "DIR",
       .help = "Folder of pictures named by the parentImage ids of Open-i reports."},
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
       .help = "Folder for studies.jsonl, rejected.jsonl, image shards and summary.json.",
       .letter = 'o',
       .required = true},
      {.name = "splits",
       .target = &o.splits,
       .metavar = "NAME=SHARE,...",
       .help = "Shares of patients in each split, for studies whose table names none."},
      {.name = "heldout-site",
       .target = &i.heldout_sites,
       .metavar = "SITE",
       .help = "Site whose studies all go to the split heldout_site."},
      {.name = "label",
       .target = &i.lexicon,
       .metavar = "LEXICON",
       .help = "Labels from the rule labeler with this lexicon where the table has none."},
      {.name = "longest-side",
       .target = &i.longest_side,
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
       .help = "Folder that holds the input files, searched recursively in sorted order.",
       .positional = true},
  };
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
  return table;
}

}  // namespace unirg
