// The exporters, one maker each. Internal to the room; see make_exporter.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "worker/export_options.hpp"
#include "worker/exporter.hpp"

namespace mullion::worker {

std::unique_ptr<Exporter> make_oci_exporter(AttributeReader& attributes,
                                            const std::vector<std::string>& names);
std::unique_ptr<Exporter> make_docker_exporter(AttributeReader& attributes,
                                               const std::vector<std::string>& names);
std::unique_ptr<Exporter> make_image_exporter(AttributeReader& attributes,
                                              const std::vector<std::string>& names);
std::unique_ptr<Exporter> make_registry_exporter(AttributeReader& attributes,
                                                 const std::vector<std::string>& names);
std::unique_ptr<Exporter> make_local_exporter(AttributeReader& attributes);
std::unique_ptr<Exporter> make_tar_exporter(AttributeReader& attributes);

}  // namespace mullion::worker
