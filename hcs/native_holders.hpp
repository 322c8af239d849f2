// Which programs have files of a folder open.
#pragma once

#include <filesystem>
#include <string>

namespace mullion::hcs {

// "MsMpEng (4242), explorer (17)", as the Restart Manager knows it of the files directly in the folder; "" if
// it knows nothing.
std::string holders_of(const std::filesystem::path& folder);

}  // namespace mullion::hcs
