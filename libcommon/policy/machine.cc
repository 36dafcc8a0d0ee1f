// SPDX-License-Identifier: Apache-2.0
#include "policy/machine.h"

#include <ATen/Context.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"

namespace unirg::policy {
namespace {

const char* const kGroup = "Plan (--dry-run)";

/// 1 for none, 0 for one that is no multiplier.
double multiplier(std::string_view suffix) {
  constexpr std::string_view kLetters = "KMGTPE";
  if (suffix.empty()) return 1;
  const bool binary = suffix.size() == 2 && suffix[1] == 'i';
  const size_t place = kLetters.find(suffix[0]);
  if (place == std::string_view::npos || (suffix.size() > 1 && !binary)) return 0;
  return std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(place + 1));
}

double known_quantity(const std::string& text, const std::string& option) {
  return text.empty() ? 0 : parse_quantity(text, option);
}

}  // namespace

void add_machine_options(cli::Table& table, MachineOptions& o) {
  cli::append(
      table,
      {{.name = "ranks",
        .target = &o.ranks,
        .metavar = "N",
        .help = "Plans N processes with a device each that share the work.",
        .min = 1,
        .max = 1e6,
        .group = kGroup},
       {.name = "device-memory",
        .target = &o.device_memory,
        .metavar = "BYTES",
        .help = "Memory of a device, as 80G or 80Gi: the plan says whether it fits.",
        .group = kGroup},
       {.name = "peak-flops",
        .target = &o.peak_flops,
        .metavar = "FLOPS",
        .help = "Arithmetic a second that a device's maker states, as 990T: the plan has times.",
        .group = kGroup},
       {.name = "decode-share",
        .target = &o.decode_share,
        .metavar = "X",
        .help = "Share of --peak-flops that decoding reaches.",
        .min = 1e-6,
        .max = 1,
        .group = kGroup},
       {.name = "price",
        .target = &o.price,
        .metavar = "MONEY",
        .help = "Price of a device for an hour, in any currency: the plan has costs.",
        .min = 0,
        .max = 1e9,
        .group = kGroup},
       {.name = "plan-format",
        .target = &o.format,
        .metavar = "FORMAT",
        .help = "Of the plan on standard output.",
        .choices = {"table", "json"},
        .group = kGroup}});
}

void add_training_machine_options(cli::Table& table, MachineOptions& o) {
  add_machine_options(table, o);
  cli::append(
      table,
      {{.name = "flops-share",
        .target = &o.flops_share,
        .metavar = "X",
        .help = "Share of --peak-flops that training reaches.",
        .min = 1e-6,
        .max = 1,
        .group = kGroup},
       {.name = "bandwidth",
        .target = &o.bandwidth,
        .metavar = "BYTES",
        .help = "Bytes a second that a rank sends to others, as 450G; without it sending takes no "
                "time.",
        .group = kGroup},
       {.name = "plan-studies",
        .target = &o.studies,
        .metavar = "N",
        .help = "Studies of the whole process - SFT and both RL steps as the paper has them - "
                "whose cost the plan states; the default is the paper's number.",
        .min = 1,
        .max = 1e15,
        .group = kGroup}});
}

double parse_quantity(const std::string& text, const std::string& option) {
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  const double factor = multiplier({end, static_cast<size_t>(last - end)});
  if (error != std::errc() || !(value > 0) || !std::isfinite(value * factor) || factor == 0)
    throw Error(Exit::usage,
                fmt::format("bad value '{}' for '--{}': expected a number above 0, with K, M, G, T "
                            "or P (Ki, Mi, ... for powers of 1024) behind it or nothing",
                            text, option));
  return value * factor;
}

Machine machine_of(const MachineOptions& o) {
  return {.ranks = o.ranks,
          .device_memory = known_quantity(o.device_memory, "device-memory"),
          .peak_flops = known_quantity(o.peak_flops, "peak-flops"),
          .bandwidth = known_quantity(o.bandwidth, "bandwidth"),
          .flops_share = o.flops_share,
          .decode_share = o.decode_share,
          .price = o.price};
}

bool plans_gpu(const std::string& device, const Machine& machine) {
  if (device == "auto") return machine.device_memory > 0 || at::hasCUDA();
  return device.starts_with("cuda");
}

double reduce_scatter_bytes(int64_t ranks, double bytes) {
  return static_cast<double>(ranks - 1) / static_cast<double>(ranks) * bytes;
}

double all_reduce_bytes(int64_t ranks, double bytes) {
  return 2 * reduce_scatter_bytes(ranks, bytes);
}

TrainingState training_state(const Machine& machine, int64_t values, bool masters) {
  constexpr int64_t kFloat = 4;
  const int64_t share = (values + machine.ranks - 1) / machine.ranks;
  const int64_t stepped = machine.zero >= 1 ? share : values;
  return {.gradients = kFloat * (machine.zero >= 2 ? share : values),
          .moments = 2 * kFloat * stepped,
          .masters = masters ? kFloat * stepped : 0};
}

double step_bytes(const Machine& machine, int64_t values, int64_t item, int64_t units) {
  const double sums = 4.0 * static_cast<double>(values);
  const double weights = static_cast<double>(item) * static_cast<double>(values);
  if (machine.zero == 0) return all_reduce_bytes(machine.ranks, sums);
  const double gradients = machine.zero == 1 ? sums : static_cast<double>(units) * weights;
  return reduce_scatter_bytes(machine.ranks, gradients + weights);
}

double busy_ranks(const Machine& machine, int64_t units) {
  const int64_t turns = (units + machine.ranks - 1) / machine.ranks;
  return static_cast<double>(units) / static_cast<double>(turns);
}

double work_seconds(const Machine& machine, double busy, double flops, double share, double sent) {
  if (machine.peak_flops == 0) return 0;
  const double sending = machine.bandwidth > 0 ? sent / machine.bandwidth : 0;
  return flops / (busy * machine.peak_flops * share) + sending;
}

double price_of(double seconds, const Machine& machine) {
  return seconds / 3600 * static_cast<double>(machine.ranks) * machine.price;
}

}  // namespace unirg::policy
