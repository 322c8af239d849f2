#include "cli/doctor_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "cli/display_text.hpp"

namespace mullion::cli {
namespace {

// The widest of either column, so that the table can be printed line by line.
constexpr int kHealthWidth = 7;
constexpr int kNameWidth = 18;

std::ptrdiff_t count(const std::vector<Diagnosis>& diagnoses, Health health) {
    return std::count_if(diagnoses.begin(), diagnoses.end(),
                         [&](const Diagnosis& each) { return each.finding.health == health; });
}

std::string counted(std::ptrdiff_t number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace

std::string diagnosis_text(const Diagnosis& diagnosis) {
    const Finding& finding = diagnosis.finding;
    std::string text =
        fmt::format("{:{}}  {:{}}  {}{}\n", to_string(finding.health), kHealthWidth, diagnosis.name,
                    kNameWidth, shown_line(finding.found), diagnosis.fixed ? " (fixed now)" : "");
    if (!finding.fix.empty()) {
        text +=
            fmt::format("{:{}}  {:{}}  fix: {}\n", "", kHealthWidth, "", kNameWidth, shown_line(finding.fix));
    }
    return text;
}

std::string summary_text(const std::vector<Diagnosis>& diagnoses) {
    std::ptrdiff_t problems = count(diagnoses, Health::Problem), warnings = count(diagnoses, Health::Warning);
    std::string text = problems == 0 ? "no problem" : counted(problems, "problem");
    if (warnings != 0) text += ", " + counted(warnings, "warning");
    text += fmt::format(", {} ok", count(diagnoses, Health::Ok));
    if (auto skipped = count(diagnoses, Health::Skipped)) text += fmt::format(", {} skipped", skipped);
    return text + "\n";
}

std::string diagnoses_json(const std::vector<Diagnosis>& diagnoses) {
    base::OrderedJson json;
    json["problems"] = count(diagnoses, Health::Problem);
    json["warnings"] = count(diagnoses, Health::Warning);
    json["checks"] = base::OrderedJson::array();
    for (const Diagnosis& diagnosis : diagnoses) {
        base::OrderedJson check;
        check["name"] = diagnosis.name;
        check["status"] = to_string(diagnosis.finding.health);
        check["found"] = diagnosis.finding.found;
        check["fix"] = nullptr;
        if (!diagnosis.finding.fix.empty()) check["fix"] = diagnosis.finding.fix;
        check["fixed"] = diagnosis.fixed;
        json["checks"].push_back(std::move(check));
    }
    // Paths may hold any bytes.
    return json.dump(2, ' ', false, base::OrderedJson::error_handler_t::replace) + "\n";
}

bool has_problem(const std::vector<Diagnosis>& diagnoses) {
    return count(diagnoses, Health::Problem) != 0;
}

}  // namespace mullion::cli
