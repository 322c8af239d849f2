// Pushing what a build made. Internal to the room.
#pragma once

#include <string>
#include <vector>

#include "worker/export_options.hpp"
#include "worker/image_output.hpp"

namespace mullion::worker {

struct PushAttributes {
    bool nondistributable = false;
};
PushAttributes take_push_attributes(AttributeReader& attributes);

// Under every name. Base layers that are in another repository of the same registry are mounted from there.
void push_output(Worker& worker, const ImageOutput& output, const std::vector<std::string>& names,
                 const PushAttributes& attributes, base::ProgressSink& progress, const base::Digest& vertex,
                 const base::CancelToken& cancel);

}  // namespace mullion::worker
