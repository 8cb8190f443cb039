// The HTTP engine on any Http: what open_http_remote() makes, for tests that bring their own.
#pragma once

#include <memory>

#include "base/env.h"
#include "remote/http.h"
#include "remote/remote_spec.h"

namespace kache {

Result<std::unique_ptr<Remote>> make_http_remote(const RemoteSpec& spec, const Env& env, Http& http);

}  // namespace kache
