#include "cli/doctor.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace mullion::cli {
namespace {

Finding problem_of(const base::Error& error) {
    if (error.code() == base::ErrorCode::Canceled) throw error;
    return {Health::Problem, error.what(), error.hint()};
}

Finding look(const Check& check) {
    try {
        return check.look();
    } catch (const base::Error& error) {
        return problem_of(error);
    } catch (const std::exception& error) {
        return {Health::Problem, error.what(), ""};
    }
}

// What is wrong if the repair fails.
Finding failed_repair(const Finding& before, Finding failure) {
    failure.found = fmt::format("{}; it could not be fixed: {}", before.found, failure.found);
    if (failure.fix.empty()) failure.fix = before.fix;
    return failure;
}

}  // namespace

const char* to_string(Health health) {
    switch (health) {
        case Health::Ok:
            return "ok";
        case Health::Warning:
            return "warning";
        case Health::Problem:
            return "problem";
        case Health::Skipped:
            return "skipped";
    }
    return "";
}

Diagnosis diagnose(const Check& check, bool fix) {
    Diagnosis diagnosis{check.name, look(check)};
    if (!fix || !diagnosis.finding.repair) return diagnosis;
    try {
        diagnosis.finding.repair();
    } catch (const base::Error& error) {
        diagnosis.finding = failed_repair(diagnosis.finding, problem_of(error));
        return diagnosis;
    } catch (const std::exception& error) {
        diagnosis.finding = failed_repair(diagnosis.finding, {Health::Problem, error.what(), ""});
        return diagnosis;
    }
    diagnosis.finding = look(check);
    diagnosis.fixed = diagnosis.finding.health == Health::Ok;
    return diagnosis;
}

}  // namespace mullion::cli
