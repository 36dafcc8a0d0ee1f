// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "policy/plan.h"

namespace unirg::policy {
namespace {

int64_t sum_of(const Plan::Parts& parts) {
  int64_t sum = 0;
  for (const auto& [part, bytes] : parts) sum += bytes;
  return sum;
}

io::Json object_of(const Plan::Parts& parts) {
  io::Json object = io::Json::object();
  for (const auto& [name, value] : parts) object[name] = value;
  return object;
}

io::Json cost_json(const StageCost& stage, const Machine& machine) {
  if (machine.peak_flops == 0) return {{"seconds", nullptr}, {"price", nullptr}};
  const double seconds = stage_seconds(stage, machine);
  return {{"seconds", seconds}, {"price", price_of(seconds, machine)}};
}

std::string memory_rows(const Plan::Parts& parts) {
  std::string rows;
  for (const auto& [part, bytes] : parts)
    rows += fmt::format("| {} | {} | {:.2f} |\n", part, bytes, 1e-9 * static_cast<double>(bytes));
  return rows;
}

std::string memory_table(const Plan& plan, const Machine& machine) {
  const bool gpu = !plan.host.empty();
  std::string table = fmt::format("\n| memory of {}{} | bytes | GB |\n| --- | ---: | ---: |\n{}",
                                  machine.ranks > 1 ? "one rank" : "the process",
                                  gpu ? ", on its device" : "", memory_rows(plan.memory));
  table += memory_rows({{"peak", plan.peak()}});
  if (machine.device_memory > 0) {
    const double left = machine.device_memory - static_cast<double>(plan.peak());
    table += fmt::format("| {} of {:.2f} GB | {:.0f} | {:.2f} |\n",
                         left >= 0 ? "fits, is left" : "does not fit, is missing",
                         1e-9 * machine.device_memory, std::abs(left), 1e-9 * std::abs(left));
  }
  if (gpu) {
    table += "\n| on the host | bytes | GB |\n| --- | ---: | ---: |\n" + memory_rows(plan.host);
  }
  return table;
}

/// "0.4 x 990 TFLOP/s"
std::string rate_text(double share, const Machine& machine) {
  return fmt::format("{:g} x {:g} TFLOP/s", share, 1e-12 * machine.peak_flops);
}

std::string hours_text(double seconds) { return fmt::format("{:.4g}", seconds / 3600); }

std::string work_table(const Plan& plan, const Machine& machine) {
  std::string table = fmt::format(
      "\n| the run | on {} |\n| --- | ---: |\n",
      machine.ranks > 1 ? fmt::format("{} ranks", machine.ranks) : std::string("one process"));
  const auto row = [&](const std::string& name, const std::string& value) {
    table += fmt::format("| {} | {} |\n", name, value);
  };
  row("FLOPs", fmt::format("{:.3e}", plan.run.flops));
  if (plan.steps > 0) row("optimiser steps", fmt::format("{}", plan.steps));
  if (plan.steps > 0 && machine.ranks > 1)
    row("a rank sends in a step, bytes", fmt::format("{:.0f}", plan.step_bytes));
  if (machine.peak_flops == 0) return table;
  const double seconds = stage_seconds(plan.run, machine);
  const double share = plan.run.decodes ? machine.decode_share : machine.flops_share;
  row(fmt::format("hours at {} a device", rate_text(share, machine)), hours_text(seconds));
  if (plan.run.units > 0 && plan.run.units < machine.ranks)
    row("ranks with work, of a step's units", fmt::format("{}", plan.run.units));
  if (plan.run.sent > 0 && machine.bandwidth > 0)
    row(fmt::format("of these sending, at {:g} GB/s", 1e-9 * machine.bandwidth),
        hours_text(plan.run.sent / machine.bandwidth));
  if (machine.price > 0)
    row(fmt::format("price at {:g} a device and hour", machine.price),
        fmt::format("{:.2f}", price_of(seconds, machine)));
  return table;
}

std::string process_table(const Plan& plan, const Machine& machine) {
  const bool timed = machine.peak_flops > 0;
  const bool priced = timed && machine.price > 0;
  std::string table = fmt::format(
      "\n| the whole process, {} studies | FLOPs | a rank sends, GB |{}{}"
      "\n| --- | ---: | ---: |{}{}\n",
      plan.process.studies, timed ? " hours | device hours |" : "", priced ? " price |" : "",
      timed ? " ---: | ---: |" : "", priced ? " ---: |" : "");
  const auto row = [&](const std::string& name, double flops, double sent, double seconds) {
    table += fmt::format("| {} | {:.3e} | {:.5g} |", name, flops, 1e-9 * sent);
    if (timed)
      table += fmt::format(" {} | {} |", hours_text(seconds),
                           hours_text(seconds * static_cast<double>(machine.ranks)));
    if (priced) table += fmt::format(" {:.0f} |", price_of(seconds, machine));
    table += "\n";
  };
  double flops = 0, sent = 0, seconds = 0;
  for (const StageCost& stage : plan.stages) {
    row(stage.name, stage.flops, stage.sent, stage_seconds(stage, machine));
    flops += stage.flops;
    sent += stage.sent;
    seconds += stage_seconds(stage, machine);
  }
  row("all", flops, sent, seconds);
  if (timed)
    table += fmt::format(
        "\nTraining at {} a device, decoding at {}; {}.\n", rate_text(machine.flops_share, machine),
        rate_text(machine.decode_share, machine),
        machine.bandwidth > 0
            ? fmt::format("sending at {:g} GB/s, behind the arithmetic", 1e-9 * machine.bandwidth)
            : std::string("sending takes no time"));
  return table;
}

}  // namespace

int64_t Plan::peak() const { return sum_of(memory); }

io::Json plan_json(const Plan& plan, const Machine& machine) {
  io::Json json = object_of(plan.facts);
  json["ranks"] = machine.ranks;
  json["memory"] = object_of(plan.memory);
  json["memory"]["peak"] = plan.peak();
  if (!plan.host.empty()) json["host"] = object_of(plan.host);
  json["fits"] = machine.device_memory > 0
                     ? io::Json(static_cast<double>(plan.peak()) <= machine.device_memory)
                     : io::Json();
  json["flops"] = plan.run.flops;
  json["steps"] = plan.steps;
  json["step_bytes"] = plan.step_bytes;
  json.update(cost_json(plan.run, machine));
  for (const StageCost& stage : plan.stages) {
    io::Json row{{"stage", stage.name}, {"flops", stage.flops}, {"sent_bytes", stage.sent}};
    row.update(cost_json(stage, machine));
    json["process"].push_back(std::move(row));
  }
  if (!plan.stages.empty()) json["process_studies"] = plan.process.studies;
  return json;
}

std::string plan_tables(const Plan& plan, const Machine& machine) {
  std::string text;
  for (const auto& [name, count] : plan.facts) text += fmt::format("{}: {}\n", name, count);
  text += memory_table(plan, machine) + work_table(plan, machine);
  if (!plan.stages.empty()) text += process_table(plan, machine);
  return text;
}

void print_plan(const Plan& plan, const Machine& machine, const std::string& format) {
  fmt::print("{}", format == "json" ? plan_json(plan, machine).dump(2) + "\n"
                                    : plan_tables(plan, machine));
}

}  // namespace unirg::policy
