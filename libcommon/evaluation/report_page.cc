// SPDX-License-Identifier: Apache-2.0
#include "evaluation/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "evaluation/cards_json.h"
#include "evaluation/corpus_metrics.h"
#include "io/jsonl.h"
#include "text/words.h"

namespace unirg::evaluation {
namespace {

using data::Json;

/// RFC 4648, section 4.
std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// JSON that cannot end its <script> element. Outside of strings JSON has none of these characters,
/// so the text stays the same JSON.
std::string escape_json(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 64);
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string_view three = json.substr(i, 3);
    if (three == "\u2028" || three == "\u2029") {  // line ends to old JavaScript
      out += three == "\u2028" ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (json[i] == '<') {
      out += "\\u003c";
    } else if (json[i] == '>') {
      out += "\\u003e";
    } else if (json[i] == '&') {
      out += "\\u0026";
    } else {
      out += json[i];
    }
  }
  return out;
}

/// What the page must know of a metric: direction is 1 (higher is better), -1 (lower) or 0 (neither
/// is).
Json metric_json(const std::string& name, const std::vector<scoring::MetricInfo>& known) {
  const auto it =
      std::find_if(known.begin(), known.end(), [&](const auto& info) { return info.name == name; });
  if (it == known.end())
    return {{"name", name}, {"direction", 0}, {"decimals", 3}, {"meaning", ""}};
  return {{"name", name},
          {"direction", static_cast<int>(it->better)},
          {"decimals", it->decimals},
          {"meaning", it->meaning}};
}

/// Every metric of the page, in order of first appearance.
Json metrics_json(const ReportPage& page) {
  std::vector<std::string> names;
  const auto add = [&](const auto& metrics) {
    for (const auto& [name, value] : metrics) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  };
  for (const auto& [key, result] : page.comparison.results) add(result.metrics);
  for (const Comparison::Pair& pair : page.comparison.pairs) add(pair.metrics);
  for (const StudyCard& study : page.studies) {
    for (const StudyCard::Text& text : study.texts) add(text.metrics);
  }
  for (const RolloutSet& set : page.rollouts) {
    for (const RolloutCard& card : set.cards) {
      for (const RolloutSample& sample : card.samples) add(sample.components);
    }
  }
  std::vector<scoring::MetricInfo> known = page.metrics;
  for (const CorpusMetric& metric : corpus_metrics()) known.push_back(metric.info);
  known.insert(
      known.end(),
      {{.name = "composite", .signature = "", .meaning = "the reward's composition"},
       {.name = "micro-f1",
        .signature = "",
        .meaning = "F1 of the counts summed over conditions and reports"},
       {.name = "macro-f1", .signature = "", .meaning = "mean over conditions of their F1"},
       {.name = "call-rate",
        .signature = "",
        .meaning = "conditions called for each condition present",
        .better = scoring::Better::neither}});
  Json metrics = Json::array();
  for (const std::string& name : names) metrics.push_back(metric_json(name, known));
  return metrics;
}

/// What has no value is left out: the page leaves the cell empty.
Json metrics_json(const std::vector<std::pair<std::string, Interval>>& metrics, bool intervals) {
  Json values = Json::object();
  for (const auto& [name, v] : metrics) {
    if (!std::isfinite(v.value)) continue;
    values[name] = intervals ? Json::array({v.value, v.lo, v.hi}) : Json::array({v.value});
  }
  return values;
}

Json result_json(const std::string& system, const std::string& split, const SystemResult& result,
                 bool intervals) {
  Json conditions = Json::array();
  for (size_t k = 0; result.labelled && k < text::kNoFinding; ++k) {
    const metrics::Counts& c = result.conditions[k];
    conditions.push_back(
        {{"name", text::kConditions[k]}, {"tp", c.tp}, {"fp", c.fp}, {"fn", c.fn}, {"f1", c.f1()}});
  }
  return {{"system", system},
          {"split", split},
          {"reports", result.reports},
          {"metrics", metrics_json(result.metrics, intervals)},
          {"conditions", std::move(conditions)}};
}

Json results_json(const Comparison& c) {
  const bool intervals = has_intervals(c);
  Json results = Json::array();
  for (const std::string& split : c.splits) {
    for (const std::string& system : c.systems) {
      const auto it = c.results.find({system, split});
      if (it != c.results.end())
        results.push_back(result_json(system, split, it->second, intervals));
    }
  }
  return results;
}

Json groups_json(const Comparison& c) {
  const bool intervals = has_intervals(c);
  Json list = Json::array();
  for (const Grouping& grouping : c.groupings) {
    Json groups = Json::array();
    for (const Group& group : grouping.groups) {
      Json systems = Json::object();
      for (const auto& [system, metrics] : group.systems)
        systems[system] = metrics_json(metrics, intervals);
      groups.push_back(
          {{"label", group.label}, {"reports", group.reports}, {"systems", std::move(systems)}});
    }
    list.push_back({{"by", grouping.by}, {"split", grouping.split}, {"groups", std::move(groups)}});
  }
  return list;
}

Json pairs_json(const Comparison& c) {
  const bool intervals = has_intervals(c);
  Json pairs = Json::array();
  for (const Comparison::Pair& pair : c.pairs) {
    Json metrics = Json::object();
    for (const auto& [name, d] : pair.metrics) {
      if (!std::isfinite(d.value)) continue;
      metrics[name] = intervals ? Json::array({d.value, d.lo, d.hi, d.p}) : Json::array({d.value});
    }
    pairs.push_back({{"a", pair.a},
                     {"b", pair.b},
                     {"split", pair.split},
                     {"reports", c.results.at({pair.a, pair.split}).reports},
                     {"metrics", std::move(metrics)}});
  }
  return pairs;
}

Json errors_json(const std::vector<ErrorHistogram>& histograms) {
  Json list = Json::array();
  for (const ErrorHistogram& h : histograms)
    list.push_back({{"system", h.system}, {"split", h.split}, {"reports", h.reports}});
  return list;
}

Json curves_json(const std::vector<Curve>& curves) {
  Json list = Json::array();
  for (const Curve& c : curves) {
    list.push_back(
        {{"chart", c.chart}, {"name", c.name}, {"x_label", c.x_label}, {"points", c.points}});
  }
  return list;
}

Json page_json(const ReportPage& page) {
  return {{"schema", "unirg.report-page/1"},
          {"systems", page.comparison.systems},
          {"splits", page.comparison.splits},
          {"seeds", page.comparison.seeds},
          {"intervals", has_intervals(page.comparison)},
          {"metrics", metrics_json(page)},
          {"results", results_json(page.comparison)},
          {"groups", groups_json(page.comparison)},
          {"pairs", pairs_json(page.comparison)},
          {"signatures", page.signatures},
          {"error_bins", kErrorBins},
          {"errors", errors_json(page.errors)},
          {"conditions", text::kConditions},
          {"images", page.images},
          {"curves", curves_json(page.curves)},
          {"rollouts", rollouts_json(page.rollouts)},
          {"studies", studies_json(page.studies)}};
}

/// Only our own files come here, but a page broken by one of them would be hard to explain.
void check_embeddable(const std::string& text, std::string_view end_tag, const std::string& what) {
  if (text.find(end_tag) != std::string::npos)
    throw Error(Exit::config, what + " of the report page holds the end of its own element");
}

constexpr std::string_view kHeadStart = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:@IMAGES@; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
)";

constexpr std::string_view kBodyEnd = R"(<div id="tools"></div>
</header>
<nav id="contents" aria-label="Contents"></nav>
<main id="main" tabindex="-1">
<noscript><p>This report draws its tables and plots with JavaScript, which is switched off here. Nothing is loaded from the network; all numbers and texts stand as JSON in the element “data” of this file.</p></noscript>
</main>
<footer id="about"></footer>
)";

}  // namespace

std::string embedded_png(std::string_view bytes) {
  return "data:image/png;base64," + base64(bytes);
}

std::string relative_address(std::string_view name) {
  std::string address;
  for (const char c : name) {
    const bool plain = text::is_letter(c) || text::is_digit(c) || c == '-' || c == '.' || c == '_';
    address += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return address;
}

std::string report_page(const ReportPage& page, const std::string& css, const std::string& js) {
  check_embeddable(css, "</style", "style sheet");
  check_embeddable(js, "</script", "program");
  const std::string title = escape_html(page.title);
  std::string html(kHeadStart);
  // a page opened from a folder comes from file:, which 'self' does not name in every browser
  html.replace(html.find("@IMAGES@"), 8, page.linked_images ? " 'self' file:" : "");
  html += "<title>" + title + "</title>\n<style>\n" + css + "</style>\n</head>\n<body>\n";
  html += "<a class=\"skip\" href=\"#main\">Skip to the results</a>\n<header>\n<h1>" + title +
          "</h1>\n";
  html += kBodyEnd;
  html += "<script type=\"application/json\" id=\"data\">" +
          escape_json(io::json_line(page_json(page))) + "</script>\n";
  html += "<script>\n(() => {\n'use strict';\n" + js + "})();\n</script>\n</body>\n</html>\n";
  return html;
}

}  // namespace unirg::evaluation
