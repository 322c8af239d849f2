#include "base/error.hpp"

#include <cerrno>
#include <cstring>

namespace mullion::base {

const char* to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::NotFound:
            return "not found";
        case ErrorCode::Exists:
            return "already exists";
        case ErrorCode::Invalid:
            return "invalid";
        case ErrorCode::Unavailable:
            return "unavailable";
        case ErrorCode::Canceled:
            return "canceled";
        case ErrorCode::TimedOut:
            return "timed out";
        case ErrorCode::Denied:
            return "denied";
        case ErrorCode::Exhausted:
            return "exhausted";
        case ErrorCode::Io:
            return "i/o error";
        case ErrorCode::Process:
            return "process failed";
        case ErrorCode::Unsupported:
            return "unsupported";
        case ErrorCode::Corrupt:
            return "corrupt";
        case ErrorCode::Internal:
            return "internal error";
    }
    return "unknown";
}

Error::Error(ErrorCode code, std::string text, std::source_location where) : code_(code) {
    frames_.push_back({std::move(text), where});
    render();
}

Error& Error::at(SourceRange range) {
    if (!source_) source_ = std::move(range);
    return *this;
}

Error& Error::about(std::string_view subject) {
    if (subject_.empty()) subject_ = subject;
    return *this;
}

Error& Error::hint(std::string text) {
    if (hint_.empty()) hint_ = std::move(text);
    return *this;
}

Error& Error::process(std::uint32_t exit_status, std::string output_tail) {
    exit_status_ = exit_status;
    output_tail_ = std::move(output_tail);
    return *this;
}

Error& Error::system(std::error_code code) {
    system_ = code;
    return *this;
}

Error& Error::add_frame(std::string text, std::source_location where) {
    frames_.push_back({std::move(text), where});
    render();
    return *this;
}

void Error::render() {
    what_.clear();
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
        if (!what_.empty()) what_ += ": ";
        what_ += frame->text;
    }
}

namespace {

ErrorCode code_from_errno(int error_number) {
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            return ErrorCode::NotFound;
        case EEXIST:
        case ENOTEMPTY:
            return ErrorCode::Exists;
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorCode::Denied;
        case ENOSPC:
#ifdef EDQUOT
        case EDQUOT:
#endif
        case ENOMEM:
        case EMFILE:
        case ENFILE:
        case EAGAIN:  // fork at the pids limit
        case EFBIG:
            return ErrorCode::Exhausted;
        case EBUSY:
        case ETXTBSY:
        case ECONNREFUSED:
            return ErrorCode::Unavailable;
        case EINVAL:
        case ENAMETOOLONG:
        case ELOOP:
            return ErrorCode::Invalid;
        case ETIMEDOUT:
            return ErrorCode::TimedOut;
        case ENOSYS:
        case EOPNOTSUPP:
            return ErrorCode::Unsupported;
        default:
            return ErrorCode::Io;
    }
}

}  // namespace

Error system_error(int error_number, std::string what, std::source_location where) {
    return system_error(std::error_code(error_number, std::generic_category()), std::move(what), where);
}

Error system_error(const std::error_code& code, std::string what, std::source_location where) {
    // The condition is errno's number whatever category the code is of.
    std::error_condition condition = code.default_error_condition();
    bool known = condition.category() == std::generic_category();
    Error error(known ? code_from_errno(condition.value()) : ErrorCode::Io, what + ": " + code.message(),
                where);
    error.system(code);
    return error;
}

}  // namespace mullion::base
