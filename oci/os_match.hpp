// Which Windows containers run on which Windows (hcs.md §5), and choosing an image by it.
#pragma once

#include <optional>
#include <string>

#include "oci/image.hpp"
#include "oci/manifest.hpp"
#include "oci/platform.hpp"

namespace mullion::oci {

// Process isolation. A host older than Windows Server 2022 runs its own build only; a newer one runs those
// from the long-term release before the newest that is not newer than itself, up to its own. Revisions do not
// matter.
bool runs_on(const OsVersion& image, const OsVersion& host);

// One isolation or the other: Hyper-V runs every build up to the host's own, nothing runs a newer one.
bool can_run_on(const OsVersion& image, const OsVersion& host);

enum class OsMatch {
    // The highest that the host can run; if there is none, or nobody knows the host, as Base. Whichever
    // isolation will be used need not be known: if process isolation runs any version of an image, it runs
    // the highest that is not newer than the host, because its range of builds ends with the host's own.
    Auto,
    Base,   // whatever the base has: the version asked for, else the highest
    Host,   // what the host runs, the highest of it
    Exact,  // the very version asked for, revision included; else the host's
};

struct OsRule {
    OsMatch match = OsMatch::Base;
    // Of whoever will run it; needed by Host, by Auto to differ from Base, and by Exact where no version is
    // asked for.
    std::optional<OsVersion> host;
};

struct OsChoice {
    const Descriptor* entry;
    std::string reason;  // "the highest of 3 versions offered"
};

// The entry of an index that serves `wanted` under the rule. Throws NotFound, listing what the index offers
// and what would help.
OsChoice choose(const Index& index, const Platform& wanted, const OsRule& rule);

struct ChosenImage {
    Image image;
    // "windows(10.0.20348.2700)/amd64: the highest of 3 versions offered"; says so if the host that is named
    // cannot run it.
    std::string choice;
};

// load_image() under a rule: follows indexes by choose(), and an image alone must be what is wanted, too.
// Nothing but documents and one config is read. Throws what load_image does.
ChosenImage load_chosen_image(BlobSource& source, const Descriptor& root, const Platform& wanted,
                              const OsRule& rule, const base::CancelToken& cancel);

}  // namespace mullion::oci
