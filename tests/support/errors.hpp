// What a call under test throws.
#pragma once

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mullion::test {

// The Error that `body` throws. Without one the test fails, and an Internal stands in for it.
template <typename Body>
base::Error error_of(Body&& body) {
    try {
        body();
    } catch (const base::Error& error) {
        return error;
    }
    ADD_FAILURE() << "no error";
    return base::fail(base::ErrorCode::Internal, "no error");
}

template <typename Body>
base::ErrorCode code_of(Body&& body) {
    return error_of(body).code();
}

}  // namespace mullion::test
