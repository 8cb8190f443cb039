// The S3 engine on any Http: what open_s3_remote() makes, for tests that bring their own.
#pragma once

#include <memory>

#include "remote/remote_spec.h"
#include "remote/s3_credentials.h"

namespace kache {

Result<std::unique_ptr<Remote>> make_s3_remote(const RemoteSpec& spec, const Env& env, CredentialSeams seams);

}  // namespace kache
