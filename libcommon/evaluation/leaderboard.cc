// SPDX-License-Identifier: Apache-2.0
#include "evaluation/leaderboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluation/table_parts.h"

namespace unirg::evaluation {
namespace {

using scoring::Better;

constexpr double kLevel = 0.05;  // of p_holm

Better better_of(const LeaderboardOptions& options, const std::string& metric) {
  if (metric == "composite") return Better::higher;
  const auto it = std::find_if(options.metrics.begin(), options.metrics.end(),
                               [&](const auto& info) { return info.name == metric; });
  return it == options.metrics.end() ? Better::neither : it->better;
}

/// Larger is better; a system without a value comes last.
double merit(const Comparison& c, const std::string& split, const std::string& system,
             const std::string& metric, Better better) {
  const Interval* v = find(c.results.at({system, split}).metrics, metric);
  if (v == nullptr || !std::isfinite(v->value)) return -std::numeric_limits<double>::infinity();
  return static_cast<int>(better) * v->value;
}

/// "*", "!" or "" beside a system's value.
std::string mark(const Comparison& c, const std::string& split, const std::string& system,
                 const std::string& metric, const LeaderboardOptions& options) {
  const Better better = better_of(options, metric);
  if (better == Better::neither || !has_intervals(c)) return "";
  for (const Comparison::Pair& pair : c.pairs) {
    if (pair.a != system || pair.b != options.baseline || pair.split != split) continue;
    const Difference* d = find(pair.metrics, metric);
    if (d == nullptr || !(d->p_holm < kLevel)) return "";
    return static_cast<int>(better) * d->value > 0 ? "*" : "!";
  }
  return "";
}

/// The table of a split before it has a form.
struct Board {
  struct Cell {
    const Interval* value;  ///< null: the system was not scored so
    std::string mark;
    bool best = false;
  };
  std::vector<std::string> metrics;
  std::vector<Better> better;
  std::vector<std::string> systems;      ///< best first
  std::vector<std::vector<Cell>> cells;  ///< [system][metric]
  std::string ranked_by;                 ///< "" where no metric has a direction
};

void rank(const Comparison& c, const std::string& split, Board& board) {
  for (size_t m = 0; m < board.metrics.size(); ++m) {
    if (board.better[m] == Better::neither) continue;
    board.ranked_by = board.metrics[m];
    std::stable_sort(board.systems.begin(), board.systems.end(), [&](const auto& a, const auto& b) {
      return merit(c, split, a, board.ranked_by, board.better[m]) >
             merit(c, split, b, board.ranked_by, board.better[m]);
    });
    return;
  }
}

Board board_of(const Comparison& c, const std::string& split, const LeaderboardOptions& options) {
  Board board;
  board.metrics = metric_rows(results_of(c, split));
  for (const std::string& metric : board.metrics)
    board.better.push_back(better_of(options, metric));
  for (const std::string& system : c.systems) {
    if (c.results.contains({system, split})) board.systems.push_back(system);
  }
  rank(c, split, board);
  std::vector<double> best(board.metrics.size(), -std::numeric_limits<double>::infinity());
  for (size_t m = 0; m < best.size(); ++m) {
    for (const std::string& system : board.systems)
      best[m] = std::max(best[m], merit(c, split, system, board.metrics[m], board.better[m]));
  }
  for (const std::string& system : board.systems) {
    std::vector<Board::Cell>& cells = board.cells.emplace_back();
    for (size_t m = 0; m < best.size(); ++m) {
      const std::string& metric = board.metrics[m];
      cells.push_back({find(c.results.at({system, split}).metrics, metric),
                       mark(c, split, system, metric, options),
                       board.better[m] != Better::neither &&
                           merit(c, split, system, metric, board.better[m]) == best[m]});
    }
  }
  return board;
}

const char* arrow(Better better) {
  return better == Better::higher ? " ↑" : better == Better::lower ? " ↓" : "";
}

/// Characters that LaTeX reads as something else.
std::string latex_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\textbackslash{}";
    else if (c == '~' || c == '^')
      out += fmt::format("\\{}{{}}", c);
    else if (std::string_view("&%$#_{}").find(c) != std::string_view::npos)
      out += fmt::format("\\{}", c);
    else
      out += c;
  }
  return out;
}

std::string latex_cell(const Board::Cell& cell, bool with_bounds) {
  if (cell.value == nullptr || !std::isfinite(cell.value->value)) return "--";
  std::string text = fmt::format("{:.3f}", cell.value->value);
  if (cell.best) text = fmt::format("\\textbf{{{}}}", text);
  if (!cell.mark.empty()) text += fmt::format("$^{{{}}}$", cell.mark);
  if (with_bounds)
    text += fmt::format(" {{\\scriptsize [{:.3f}, {:.3f}]}}", cell.value->lo, cell.value->hi);
  return text;
}

std::string markdown_cell(const Board::Cell& cell) {
  if (cell.value == nullptr || !std::isfinite(cell.value->value)) return "";
  const std::string text = fmt::format("{:.3f}", cell.value->value);
  return (cell.best ? fmt::format("**{}**", text) : text) + cell.mark;
}

std::string legend(const LeaderboardOptions& options) {
  return fmt::format("* better, ! worse than {} (p < {}, Holm)", options.baseline, kLevel);
}

}  // namespace

std::string leaderboard_markdown(const Comparison& c, const std::string& split,
                                 const LeaderboardOptions& options) {
  const Board board = board_of(c, split, options);
  std::vector<std::string> head{"rank", "system"};
  for (size_t m = 0; m < board.metrics.size(); ++m)
    head.push_back(board.metrics[m] + arrow(board.better[m]));
  std::string text = header(head);
  for (size_t s = 0; s < board.systems.size(); ++s) {
    std::vector<std::string> cells{fmt::format("{}", s + 1), board.systems[s]};
    for (const Board::Cell& cell : board.cells[s]) cells.push_back(markdown_cell(cell));
    text += row(cells);
  }
  if (!options.baseline.empty()) text += fmt::format("\n{}.\n", legend(options));
  return text;
}

std::string leaderboard_latex(const Comparison& c, const LeaderboardOptions& options) {
  std::string text = "% needs \\usepackage{booktabs}\n";
  for (const std::string& split : c.splits) {
    const Board board = board_of(c, split, options);
    text += fmt::format("\\begin{{table}}\n\\begin{{tabular}}{{l{}}}\n\\toprule\nsystem",
                        std::string(board.metrics.size(), 'r'));
    for (size_t m = 0; m < board.metrics.size(); ++m) {
      text += " & " + latex_text(board.metrics[m]);
      if (board.better[m] != Better::neither)
        text += board.better[m] == Better::higher ? " $\\uparrow$" : " $\\downarrow$";
    }
    text += " \\\\\n\\midrule\n";
    for (size_t s = 0; s < board.systems.size(); ++s) {
      text += latex_text(board.systems[s]);
      for (const Board::Cell& cell : board.cells[s])
        text += " & " + latex_cell(cell, has_intervals(c));
      text += " \\\\\n";
    }
    text += fmt::format(
        "\\bottomrule\n\\end{{tabular}}\n\\caption{{{} reports{}.{}}}\n\\end{{table}}\n",
        results_of(c, split).front()->reports, split.empty() ? "" : ", " + latex_text(split),
        options.baseline.empty() ? "" : " " + latex_text(legend(options)) + ".");
  }
  return text;
}

}  // namespace unirg::evaluation
