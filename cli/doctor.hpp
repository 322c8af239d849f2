// Is this host fit for mullion? A check looks at one thing, says what it found and what to do about it.
//
//     for (const Check& check : host_checks(context)) report.add(diagnose(check, options.fix));
#pragma once

#include <functional>
#include <string>

namespace mullion::cli {

enum class Health {
    Ok,
    Warning,  // mullion works; something about it does not, or not as well
    Problem,  // mullion does not work, or its containers do not
    Skipped,  // it could not be looked at, or means nothing here
};

const char* to_string(Health health);

struct Finding {
    Health health = Health::Ok;
    std::string found;  // one line; for Skipped the reason
    std::string fix;    // what the user can do; "" where nothing has to be done
    // Does that for him. Only where it is safe, and does nothing when it was done before.
    std::function<void()> repair = {};
};

struct Check {
    std::string name;  // "state-directory"; a part of the JSON form, listed in docs/cli.md
    std::function<Finding()> look;
};

struct Diagnosis {
    std::string name;
    Finding finding;
    bool fixed = false;  // was repaired just now; `finding` is what is found since
};

// Looks; with `fix`, repairs where the finding offers it and looks again. What a check or a repair throws is
// a Problem, except Canceled, which is thrown on.
Diagnosis diagnose(const Check& check, bool fix);

}  // namespace mullion::cli
