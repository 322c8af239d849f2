// What doctor prints. The JSON form is documented in docs/cli.md and stays as it is.
#pragma once

#include <string>
#include <vector>

#include "cli/doctor.hpp"

namespace mullion::cli {

// "problem   wine   it is not installed" and, on a line of its own, what to do about it.
std::string diagnosis_text(const Diagnosis& diagnosis);
// The last line: how many of each.
std::string summary_text(const std::vector<Diagnosis>& diagnoses);

std::string diagnoses_json(const std::vector<Diagnosis>& diagnoses);

bool has_problem(const std::vector<Diagnosis>& diagnoses);

}  // namespace mullion::cli
