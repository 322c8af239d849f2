// One function per command: declares its options and sets Context::action. The list is main()'s table of
// commands.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/context.hpp"

namespace mullion::cli {

void add_base(CLI::App& app, Context& context);
void add_build(CLI::App& app, Context& context);
void add_cache(CLI::App& app, Context& context);
void add_copy(CLI::App& app, Context& context);
void add_digest(CLI::App& app, Context& context);
void add_dockerfile(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_image(CLI::App& app, Context& context);
void add_images(CLI::App& app, Context& context);
void add_index(CLI::App& app, Context& context);
void add_inspect(CLI::App& app, Context& context);
void add_login(CLI::App& app, Context& context);
void add_logout(CLI::App& app, Context& context);
void add_load(CLI::App& app, Context& context);
void add_manifest(CLI::App& app, Context& context);
void add_pull(CLI::App& app, Context& context);
void add_push(CLI::App& app, Context& context);
void add_rmi(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_save(CLI::App& app, Context& context);
void add_tag(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);

}  // namespace mullion::cli
