#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace kache {

static ErrorCode code_of_errno(int err) {
  switch (err) {
    case ENOENT:
    case ENOTDIR: return ErrorCode::not_found;
    case EEXIST: return ErrorCode::exists;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::denied;
    case ENOSPC:
    case EDQUOT: return ErrorCode::no_space;
    case EOPNOTSUPP:
    case ENOSYS:
    case EXDEV:
    case ENOTTY: return ErrorCode::unsupported;
    case EWOULDBLOCK:
    case EBUSY: return ErrorCode::busy;
    case EFBIG: return ErrorCode::too_large;
    default: return ErrorCode::io;
  }
}

Error error_from_errno(int err, std::string_view what) {
  // strerrorname_np would be stable across locales; strerror in the C locale (the wrapper sets none) is as well.
  return Error{code_of_errno(err), err, std::string(what) + ": " + std::strerror(err)};
}

}  // namespace kache
