# Cross-compiles for Windows with Debian's mingw-w64, the variant whose threads are POSIX' (std::thread). Everything is
# linked statically; what is not the system's comes from the prefix that scripts/mingw-deps makes.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)

set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

# Windows 10 and Server 2016 on. Not NTDDI_VERSION: it follows from this, and zstd lowers the other two for itself.
set(definitions "-D_WIN32_WINNT=0x0A00 -DWINVER=0x0A00")
set(CMAKE_C_FLAGS_INIT "${definitions}")
set(CMAKE_CXX_FLAGS_INIT "${definitions}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")

# The dependencies' own builds (scripts/mingw-deps) name the prefix they make.
if(DEFINED ENV{MULLION_MINGW_PREFIX})
  set(mingw_prefix $ENV{MULLION_MINGW_PREFIX})
else()
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../scripts/mingw-deps --where
    OUTPUT_VARIABLE mingw_prefix OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT EXISTS ${mingw_prefix}/complete)
    message(FATAL_ERROR "The dependencies for Windows are not built: run scripts/mingw-deps")
  endif()
endif()

set(CMAKE_FIND_ROOT_PATH ${mingw_prefix} /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${mingw_prefix}/lib/pkgconfig)

set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/../tests/support/under_wine)
