# How every target of the tree is made: one library per room, one test program per room.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(MULLION_CCACHE ccache)
if(MULLION_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Checkouts in different folders share what they compiled.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${MULLION_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

foreach(sanitizer IN LISTS MULLION_SANITIZE)
  add_compile_options(-fsanitize=${sanitizer} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizer})
endforeach()

# Warnings are errors in our own code; generated code opts out by not calling this.
function(mullion_warnings target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4)
    return()
  endif()
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
    -Wno-missing-field-initializers -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    # libstdc++ 12 calls what it deprecates itself.
    target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC 12 reports false overlaps in optimised "literal" + std::string (GCC bug 105329),
    target_compile_options(${target} PRIVATE -Wno-restrict)
    if(MULLION_SANITIZE OR MINGW)
      # and false "maybe uninitialized" in instrumented code and in mingw-w64's optional strings.
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
  endif()
endfunction()

if(WIN32)
  # Windows 10 and Server 2016 on; wide calls; no macros named min and max.
  add_compile_definitions(_WIN32_WINNT=0x0A00 WINVER=0x0A00 UNICODE _UNICODE NOMINMAX WIN32_LEAN_AND_MEAN)
  if(MSVC)
    add_compile_options(/utf-8 /permissive- /Zc:__cplusplus /EHsc /bigobj)
  endif()
endif()

# mullion_room(NAME SOURCES... POSIX... WINDOWS... DEPENDS...): the library target of one room. POSIX and WINDOWS are the
# sources for one kind of system.
function(mullion_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;POSIX;WINDOWS;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  if(WIN32)
    list(APPEND ARG_SOURCES ${ARG_WINDOWS})
  else()
    list(APPEND ARG_SOURCES ${ARG_POSIX})
  endif()
  add_library(mullion_${name} STATIC ${ARG_SOURCES})
  add_library(mullion::${name} ALIAS mullion_${name})
  target_include_directories(mullion_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(mullion_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  mullion_warnings(mullion_${name})
endfunction()

set(MULLION_TEST_ENVIRONMENT "")
if("thread" IN_LIST MULLION_SANITIZE)
  set(MULLION_TEST_ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp")
endif()

# mullion_test(ROOM SOURCES... POSIX... WINDOWS... DEPENDS...): one GoogleTest program per room, found by ctest case by
# case; under Wine, where starting one takes longer than most cases, all of them are one test.
function(mullion_test name)
  cmake_parse_arguments(ARG "" "MAIN;TIMEOUT" "SOURCES;POSIX;WINDOWS;DEPENDS;LABELS" ${ARGN})
  if(WIN32)
    list(APPEND ARG_SOURCES ${ARG_WINDOWS})
  else()
    list(APPEND ARG_SOURCES ${ARG_POSIX})
  endif()
  add_executable(mullion_${name}_tests ${ARG_SOURCES})
  target_link_libraries(mullion_${name}_tests PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest)
  if(NOT ARG_MAIN)
    target_link_libraries(mullion_${name}_tests PRIVATE GTest::gtest_main)
  endif()
  # Tests are compiled once and run for a second: optimising them costs more than it gives.
  if(NOT MSVC)
    target_compile_options(mullion_${name}_tests PRIVATE -O0)
  endif()
  mullion_warnings(mullion_${name}_tests)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(CMAKE_CROSSCOMPILING)
    add_test(NAME ${name} COMMAND mullion_${name}_tests --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS "${name};${ARG_LABELS}")
    return()
  endif()
  gtest_discover_tests(mullion_${name}_tests DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${name};${ARG_LABELS}" ENVIRONMENT "${MULLION_TEST_ENVIRONMENT}")
endfunction()
