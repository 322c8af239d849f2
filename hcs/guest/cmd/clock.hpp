// What changes by itself: date, time, chance; and what Windows calls itself.
#pragma once

#include <windows.h>

#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

Text date_text();                          // "Fri 05/10/2024"
Text time_text();                          // " 9:05:01.23"
Text clock_text();                         // "09:05 AM"
Text stamp_text(const FILETIME& time);     // "05/10/2024 09:05 AM", local time
Text listing_stamp(const FILETIME& time);  // "05/10/2024  09:05 AM"
int random_number();                       // 0 to 32767
Text windows_version();                    // "Microsoft Windows [Version 10.0.20348.2700]"

}  // namespace mullion::cmd
