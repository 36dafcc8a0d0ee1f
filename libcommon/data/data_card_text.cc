// The Markdown of a data card. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>

#include "data/data_card.h"

namespace unirg::data {
namespace {

constexpr size_t kReasons = 20;  ///< in the Markdown; the JSON has all

using Row = std::vector<std::string>;

/// A name from the data, so that it cannot break a table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

std::string table_row(const Row& cells) {
  std::string line = "|";
  for (const std::string& text : cells) line += " " + cell(text) + " |";
  return line + "\n";
}

/// The first column is of names, the others of numbers.
std::string table_head(const Row& cells) {
  std::string line = table_row(cells) + "| --- |";
  for (size_t i = 1; i < cells.size(); ++i) line += " ---: |";
  return line + "\n";
}

std::string number(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_number_integer()) return std::to_string(value.get<int64_t>());
  return fmt::format("{:.10g}", value.get<double>());
}

std::string percent(const Json& share) {
  return share.is_null() ? "" : fmt::format("{:.1f}%", 100 * share.get<double>());
}

std::string share_of(int64_t part, int64_t whole) {
  return whole == 0 ? "" : percent(static_cast<double>(part) / static_cast<double>(whole));
}

/// Entries of an object of counts, the largest first, of equals in the order they have.
std::vector<std::pair<std::string, int64_t>> by_count(const Json& counts) {
  std::vector<std::pair<std::string, int64_t>> entries;
  for (const auto& [name, count] : counts.items()) entries.emplace_back(name, count.get<int64_t>());
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return entries;
}

std::string counts_table(const char* what, const char* of, const Json& counts, bool sorted) {
  std::vector<std::pair<std::string, int64_t>> entries;
  if (sorted)
    entries = by_count(counts);
  else
    for (const auto& [name, count] : counts.items()) entries.emplace_back(name, count);
  if (entries.empty()) return "";
  int64_t total = 0;
  for (const auto& [name, count] : entries) total += count;
  std::string text = table_head({what, of, "share"});
  for (const auto& [name, count] : entries)
    text += table_row({name, std::to_string(count), share_of(count, total)});
  return text + "\n";
}

std::string sites_table(const Json& card) {
  Row head{"site", "studies", "patients", "images"};
  for (const auto& [split, unused] : card["splits"].items()) head.push_back(split);
  std::string text = table_head(head);
  for (const auto& [name, site] : card["sites"].items()) {
    Row row{name, number(site["studies"]), number(site["patients"]), number(site["images"])};
    for (const auto& [split, unused] : card["splits"].items())
      row.push_back(number(site["splits"].value(split, Json(0))));
    text += table_row(row);
  }
  return text + "\n";
}

std::string splits_table(const Json& card) {
  std::string text = table_head({"split", "studies", "patients", "images"});
  for (const auto& [name, split] : card["splits"].items())
    text += table_row(
        {name, number(split["studies"]), number(split["patients"]), number(split["images"])});
  text +=
      table_row({"all", number(card["studies"]), number(card["patients"]), number(card["images"])});
  return text + "\n";
}

Row distribution_row(const std::string& name, const Json& d) {
  if (d.is_null()) return {name, "0", "", "", "", "", "", ""};
  return {name,
          number(d["count"]),
          number(d["min"]),
          number(d["q1"]),
          number(d["median"]),
          number(d["q3"]),
          number(d["max"]),
          fmt::format("{:.1f}", d["mean"].get<double>())};
}

std::string lengths_table(const Json& card) {
  std::string text = table_head(
      {"words of", "studies", "least", "quarter", "half", "three quarters", "most", "mean"});
  for (const auto& [name, d] : card["words"].items()) text += table_row(distribution_row(name, d));
  return text + "\n";
}

std::string labels_table(const Json& labels) {
  if (labels.is_null()) return "No study has labels.\n\n";
  std::string text = fmt::format("{} studies have labels.\n\n", number(labels["studies"]));
  text += table_head({"label", "positive", "negative", "uncertain", "not mentioned"});
  for (const auto& [name, counts] : labels["conditions"].items()) {
    Row row{name};
    for (const auto& [value, count] : counts.items()) row.push_back(number(count));
    text += table_row(row);
  }
  return text + "\n";
}

std::string rejected_table(const Json& rejected) {
  if (rejected.is_null()) return "Not known: these records came without a rejected.jsonl.\n\n";
  std::string text = fmt::format("{} files and rows.\n\n", number(rejected["count"]));
  auto entries = by_count(rejected["reasons"]);
  if (entries.empty()) return text;
  int64_t others = 0;
  for (size_t i = kReasons; i < entries.size(); ++i) others += entries[i].second;
  entries.resize(std::min(entries.size(), kReasons));
  text += table_head({"reason", "files and rows"});
  for (const auto& [reason, count] : entries) text += table_row({reason, std::to_string(count)});
  if (others > 0) text += table_row({"all others", std::to_string(others)});
  return text + "\n";
}

std::string tiles_text(const Json& tiles) {
  if (tiles.is_null()) return "";
  return fmt::format("{} images are tiles of {} slides.\n\n", number(tiles["images"]),
                     number(tiles["slides"])) +
         counts_table("microns per pixel", "tiles", tiles["microns_per_pixel"], false);
}

std::string ct_text(const Json& ct) {
  if (ct.is_null()) return "";
  return fmt::format("{} images are slices of CT, {} are montages of them.\n\n",
                     number(ct["slices"]), number(ct["montages"])) +
         counts_table("window", "images", ct["windows"], true);
}

std::string breast_text(const Json& breast) {
  if (breast.is_null()) return "";
  return counts_table("BI-RADS", "studies", breast["birads"], false) +
         counts_table("breast density", "studies", breast["density"], false);
}

std::string boilerplate_text(const Json& boilerplate) {
  std::string text = fmt::format(
      "A sentence is a template if reports of {} of a site's patients, and of two at least, have "
      "it "
      "word for word, numbers apart. Shares are of words; own are templates of no other site. A "
      "near-duplicate shares {} of the word 5-grams with a report before it.\n\n",
      percent(boilerplate["share_of_patients"]), percent(boilerplate["near_duplicate"]));
  text += table_head({"site", "reports", "words", "templates", "needed patients", "template", "own",
                      "template reports", "near-duplicates"});
  for (const auto& [name, s] : boilerplate["sites"].items()) {
    text += table_row({name, number(s["reports"]), number(s["words"]), number(s["templates"]),
                       number(s["needed_patients"]), percent(s["template_share"]),
                       percent(s["own_share"]), percent(s["template_report_share"]),
                       percent(s["near_duplicate_share"])});
  }
  text += "\n";
  for (const auto& [name, s] : boilerplate["sites"].items()) {
    if (s["most"].empty()) continue;
    text += table_head({"most frequent templates of " + name, "patients"});
    for (const Json& entry : s["most"])
      text += table_row({entry["sentence"].get<std::string>(), number(entry["patients"])});
    text += "\n";
  }
  return text;
}

}  // namespace

std::string card_markdown(const Json& card) {
  std::string text = fmt::format(
      "# Data card\n\n{} studies of {} patients with {} images; {} studies have an earlier one, {} "
      "have a date",
      number(card["studies"]), number(card["patients"]), number(card["images"]),
      number(card["with_prior"]), number(card["dated"]));
  if (!card["first_date"].is_null())
    text += fmt::format(", {} to {}", card["first_date"].get<std::string>(),
                        card["last_date"].get<std::string>());
  text += ".\n\n## Splits and sites\n\n" + splits_table(card) + sites_table(card);
  if (card["datasets"].size() > 1) {
    text += table_head({"dataset", "studies", "patients", "images"});
    for (const auto& [name, d] : card["datasets"].items())
      text += table_row({name, number(d["studies"]), number(d["patients"]), number(d["images"])});
    text += "\n";
  }
  text += "## Images\n\n" + counts_table("view", "images", card["views"], true) +
          counts_table("modality", "studies", card["modalities"], true) +
          counts_table("images of a study", "studies", card["images_per_study"], false) +
          counts_table("side", "images", card["laterality"], false) + breast_text(card["breast"]) +
          ct_text(card["ct"]) + tiles_text(card["tiles"]);
  text += "## Patients\n\n" +
          counts_table("studies of a patient", "patients", card["studies_per_patient"], false) +
          counts_table("sex", "studies", card["sex"], true) +
          counts_table("race", "studies", card["race"], true) +
          table_head({"age in years", "studies", "least", "quarter", "half", "three quarters",
                      "most", "mean"}) +
          table_row(distribution_row("all", card["age"])) + "\n" +
          counts_table("age", "studies", card["age_decades"], false);
  text += "## Reports\n\n" + lengths_table(card);
  text += "## Labels\n\n" + labels_table(card["labels"]);
  text += "## Boilerplate\n\n" + boilerplate_text(card["boilerplate"]);
  text += "## Rejected\n\n" + rejected_table(card["rejected"]);
  text.pop_back();
  return text;
}

}  // namespace unirg::data
